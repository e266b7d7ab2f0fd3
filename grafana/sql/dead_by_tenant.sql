SELECT
  tenant_id AS "Tenant",
  count(*) AS "Jobs",
  max(failed_at) AS "Newest"
FROM dead_letters
WHERE status = 'dead' AND $__timeFilter(failed_at) AND original_queue ~ '^(${queue:regex})$'
GROUP BY 1
ORDER BY 2 DESC, 3 DESC
LIMIT 50
