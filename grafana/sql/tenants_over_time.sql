-- The eight tenants with the most jobs within the range.
WITH chosen AS (
  SELECT job_logs.tenant_id, job_logs.created_at, count(*) OVER (PARTITION BY job_logs.tenant_id) AS jobs
  FROM job_logs
  LEFT JOIN tenants USING (tenant_id)
  WHERE $__timeFilter(job_logs.created_at)
    AND job_logs.queue ~ '^(${queue:regex})$'
    AND COALESCE(tenants.plan, 'free') ~ '^(${plan:regex})$'
    AND (${tenant:sqlstring} = '' OR job_logs.tenant_id = ${tenant:sqlstring})
),
ranked AS (
  SELECT tenant_id, created_at, dense_rank() OVER (ORDER BY jobs DESC, tenant_id) AS place
  FROM chosen
)
SELECT
  $__timeGroupAlias(created_at, $__interval),
  tenant_id AS metric,
  count(*) AS jobs
FROM ranked
WHERE place <= 8
GROUP BY 1, 2
ORDER BY 1
