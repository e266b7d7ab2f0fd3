-- All attempts of the jobs that were sent within the range, also those that failed.
SELECT
  job_logs.tenant_id AS "Tenant",
  (sum(job_attempts.run_ms) / 1000)::FLOAT8 AS "Run time"
FROM job_logs
JOIN job_attempts USING (job_id)
LEFT JOIN tenants USING (tenant_id)
WHERE $__timeFilter(job_logs.created_at)
  AND job_logs.queue ~ '^(${queue:regex})$'
  AND COALESCE(tenants.plan, 'free') ~ '^(${plan:regex})$'
  AND (${tenant:sqlstring} = '' OR job_logs.tenant_id = ${tenant:sqlstring})
GROUP BY 1
ORDER BY 2 DESC NULLS LAST
LIMIT 10
