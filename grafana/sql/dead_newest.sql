SELECT
  failed_at AS "Died",
  original_queue AS "Queue",
  actor AS "Actor",
  dead_letters.tenant_id AS "Tenant",
  CASE WHEN dead_letters.tenant_id = '@system' THEN '-' ELSE COALESCE(tenants.plan, 'free') END AS "Plan",
  attempts AS "Attempts",
  split_part(left(error, 200), E'\n', 1) AS "Error",
  job_id AS "Job"
FROM dead_letters
LEFT JOIN tenants USING (tenant_id)
WHERE status = 'dead'
  AND $__timeFilter(failed_at)
  AND original_queue ~ '^(${queue:regex})$'
ORDER BY failed_at DESC
LIMIT 100
