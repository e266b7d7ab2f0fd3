-- What holds for each tenant that has a row: its own limits, else its plan's.
SELECT
  tenants.tenant_id AS "Tenant",
  tenants.plan AS "Plan",
  COALESCE(tenants.concurrency, plans.concurrency) AS "Runs at once",
  COALESCE(tenants.max_jobs_per_minute, plans.max_jobs_per_minute) AS "Sent in 60 s",
  COALESCE(tenants.weight, plans.weight) AS "Weight",
  COALESCE(tenants.max_backlog, plans.max_backlog) AS "Backlog",
  concat_ws(
    ', ',
    CASE WHEN tenants.concurrency IS NOT NULL THEN 'runs at once' END,
    CASE WHEN tenants.max_jobs_per_minute IS NOT NULL THEN 'rate' END,
    CASE WHEN tenants.weight IS NOT NULL THEN 'weight' END,
    CASE WHEN tenants.max_backlog IS NOT NULL THEN 'backlog' END
  ) AS "Its own",
  tenants.paused::INTEGER AS "Paused",
  tenants.updated_at AS "Changed"
FROM tenants
JOIN plans ON plans.name = tenants.plan
WHERE tenants.plan ~ '^(${plan:regex})$'
  AND (${tenant:sqlstring} = '' OR tenants.tenant_id = ${tenant:sqlstring})
ORDER BY tenants.paused DESC, tenants.updated_at DESC
LIMIT 200
