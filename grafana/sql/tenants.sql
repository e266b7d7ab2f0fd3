SELECT
  job_logs.tenant_id AS "Tenant",
  COALESCE(min(tenants.plan), 'free') AS "Plan",
  count(*) AS "Jobs",
  count(*) FILTER (WHERE status = 'completed') AS "Completed",
  count(*) FILTER (WHERE status = 'failed') AS "Dead",
  count(*) FILTER (WHERE status IN ('pending', 'scheduled')) AS "Waiting",
  count(*) FILTER (WHERE status = 'active') AS "Running",
  (percentile_cont(0.95) WITHIN GROUP (ORDER BY wait_ms) / 1000)::FLOAT8 AS "Wait, 95 of 100",
  (percentile_cont(0.95) WITHIN GROUP (ORDER BY run_ms) / 1000)::FLOAT8 AS "Run, 95 of 100",
  max(job_logs.created_at) AS "Last sent"
FROM job_logs
LEFT JOIN tenants USING (tenant_id)
WHERE $__timeFilter(job_logs.created_at)
  AND job_logs.queue ~ '^(${queue:regex})$'
  AND COALESCE(tenants.plan, 'free') ~ '^(${plan:regex})$'
  AND (${tenant:sqlstring} = '' OR job_logs.tenant_id = ${tenant:sqlstring})
GROUP BY 1
ORDER BY 3 DESC
LIMIT 50
