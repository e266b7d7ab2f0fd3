SELECT
  job_logs.created_at AS "Sent",
  job_logs.tenant_id AS "Tenant",
  queue AS "Queue",
  job_type AS "Actor",
  status AS "State",
  attempts AS "Attempts",
  (wait_ms / 1000.0)::FLOAT8 AS "Waited",
  (run_ms / 1000.0)::FLOAT8 AS "Ran",
  split_part(left(error, 200), E'\n', 1) AS "Error",
  job_id AS "Job"
FROM job_logs
LEFT JOIN tenants USING (tenant_id)
WHERE $__timeFilter(job_logs.created_at)
  AND job_logs.queue ~ '^(${queue:regex})$'
  AND COALESCE(tenants.plan, 'free') ~ '^(${plan:regex})$'
  AND (${tenant:sqlstring} = '' OR job_logs.tenant_id = ${tenant:sqlstring})
ORDER BY job_logs.created_at DESC
LIMIT 100
