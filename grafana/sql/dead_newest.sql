SELECT
  failed_at AS "Died",
  original_queue AS "Queue",
  actor AS "Actor",
  tenant_id AS "Tenant",
  attempts AS "Attempts",
  split_part(left(error, 200), E'\n', 1) AS "Error",
  job_id AS "Job"
FROM dead_letters
WHERE status = 'dead' AND $__timeFilter(failed_at) AND original_queue ~ '^(${queue:regex})$'
ORDER BY failed_at DESC
LIMIT 100
