SELECT
  job_logs.tenant_id AS "Tenant",
  count(*) AS "Jobs"
FROM job_logs
LEFT JOIN tenants USING (tenant_id)
WHERE $__timeFilter(job_logs.created_at)
  AND job_logs.queue ~ '^(${queue:regex})$'
  AND COALESCE(tenants.plan, 'free') ~ '^(${plan:regex})$'
  AND (${tenant:sqlstring} = '' OR job_logs.tenant_id = ${tenant:sqlstring})
GROUP BY 1
ORDER BY 2 DESC
LIMIT 10
