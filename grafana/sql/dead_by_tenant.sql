SELECT
  dead_letters.tenant_id AS "Tenant",
  CASE WHEN dead_letters.tenant_id = '@system' THEN '-' ELSE COALESCE(min(tenants.plan), 'free') END AS "Plan",
  count(*) AS "Jobs",
  max(failed_at) AS "Newest"
FROM dead_letters
LEFT JOIN tenants USING (tenant_id)
WHERE status = 'dead'
  AND $__timeFilter(failed_at)
  AND original_queue ~ '^(${queue:regex})$'
GROUP BY 1
ORDER BY 3 DESC, 4 DESC
LIMIT 50
