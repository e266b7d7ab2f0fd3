SELECT
  plans.name AS "Plan",
  count(tenants.tenant_id) AS "Tenants",
  count(tenants.tenant_id) FILTER (WHERE tenants.paused) AS "Paused",
  plans.concurrency AS "Runs at once",
  plans.max_jobs_per_minute AS "Sent in 60 s",
  plans.weight AS "Weight",
  plans.max_backlog AS "Backlog"
FROM plans
LEFT JOIN tenants ON tenants.plan = plans.name
GROUP BY plans.name
ORDER BY plans.weight, plans.name
