-- Statements of tenants.py.

-- name: tenant
-- A tenant with the limits that hold for it; one without a row is on the plan free.
SELECT
  given.tenant_id, plan.name AS plan, coalesce(tenant.paused, FALSE) AS paused,
  coalesce(tenant.concurrency, plan.concurrency) AS concurrency,
  coalesce(tenant.max_jobs_per_minute, plan.max_jobs_per_minute) AS max_jobs_per_minute,
  coalesce(tenant.weight, plan.weight) AS weight,
  coalesce(tenant.max_backlog, plan.max_backlog) AS max_backlog,
  tenant.concurrency AS own_concurrency, tenant.max_jobs_per_minute AS own_max_jobs_per_minute,
  tenant.weight AS own_weight, tenant.max_backlog AS own_max_backlog,
  tenant.cell, tenant.created_at, tenant.updated_at
FROM (SELECT %(tenant_id)s::TEXT AS tenant_id) AS given
LEFT JOIN tenants AS tenant ON tenant.tenant_id = given.tenant_id
JOIN plans AS plan ON plan.name = coalesce(tenant.plan, 'free')

-- name: tenants
-- The tenants that have a row and match all that is given, in the order of their ids.
SELECT
  tenant.tenant_id, plan.name AS plan, tenant.paused,
  coalesce(tenant.concurrency, plan.concurrency) AS concurrency,
  coalesce(tenant.max_jobs_per_minute, plan.max_jobs_per_minute) AS max_jobs_per_minute,
  coalesce(tenant.weight, plan.weight) AS weight,
  coalesce(tenant.max_backlog, plan.max_backlog) AS max_backlog,
  tenant.concurrency AS own_concurrency, tenant.max_jobs_per_minute AS own_max_jobs_per_minute,
  tenant.weight AS own_weight, tenant.max_backlog AS own_max_backlog,
  tenant.cell, tenant.created_at, tenant.updated_at
FROM tenants AS tenant
JOIN plans AS plan ON plan.name = tenant.plan
WHERE (%(plan)s::TEXT IS NULL OR tenant.plan = %(plan)s)
  AND (%(paused)s::BOOLEAN IS NULL OR tenant.paused = %(paused)s)
  AND (%(after)s::TEXT IS NULL OR tenant.tenant_id > %(after)s)
ORDER BY tenant.tenant_id
LIMIT %(limit)s

-- name: set_plan
-- Give a tenant a plan; its own limits stay.
INSERT INTO tenants (tenant_id, plan)
VALUES (%(tenant_id)s, %(plan)s)
ON CONFLICT (tenant_id) DO UPDATE SET plan = excluded.plan

-- name: override
-- Set those of a tenant's own limits that are named; NULL gives a named one back to the plan.
INSERT INTO tenants AS tenant (tenant_id, concurrency, max_jobs_per_minute, weight, max_backlog)
VALUES (%(tenant_id)s, %(concurrency)s, %(max_jobs_per_minute)s, %(weight)s, %(max_backlog)s)
ON CONFLICT (tenant_id) DO UPDATE SET
  concurrency = CASE
    WHEN 'concurrency' = ANY(%(named)s) THEN excluded.concurrency ELSE tenant.concurrency
  END,
  max_jobs_per_minute = CASE
    WHEN 'max_jobs_per_minute' = ANY(%(named)s) THEN excluded.max_jobs_per_minute ELSE tenant.max_jobs_per_minute
  END,
  weight = CASE WHEN 'weight' = ANY(%(named)s) THEN excluded.weight ELSE tenant.weight END,
  max_backlog = CASE
    WHEN 'max_backlog' = ANY(%(named)s) THEN excluded.max_backlog ELSE tenant.max_backlog
  END

-- name: pause
-- Start no more jobs of a tenant.
INSERT INTO tenants (tenant_id, paused)
VALUES (%(tenant_id)s, TRUE)
ON CONFLICT (tenant_id) DO UPDATE SET paused = TRUE

-- name: resume
-- Let a tenant's jobs go on; one without a row was never paused.
UPDATE tenants
SET paused = FALSE
WHERE tenant_id = %(tenant_id)s
