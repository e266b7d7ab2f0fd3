SELECT
  count(*) AS "Jobs",
  original_queue AS "Queue",
  actor AS "Actor",
  reason AS "Reason",
  split_part(left(error, 200), E'\n', 1) AS "Error",
  count(DISTINCT tenant_id) AS "Tenants",
  max(failed_at) AS "Newest"
FROM dead_letters
WHERE status = 'dead' AND $__timeFilter(failed_at) AND original_queue ~ '^(${queue:regex})$'
GROUP BY 2, 3, 4, 5
ORDER BY 1 DESC, 7 DESC
LIMIT 100
