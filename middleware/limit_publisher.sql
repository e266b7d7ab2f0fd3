-- Statements of limit_publisher.py.

-- name: next_version
-- A number higher than all before; to be taken before anything is read.
SELECT nextval('limits_version') AS version

-- name: pass_version
-- Let all later numbers be higher than one that Redis has: this database may be younger than that, or from a backup.
SELECT setval('limits_version', greatest(%(version)s, (SELECT last_value FROM limits_version)))

-- name: all_limits
-- What holds for every tenant that has a row.
SELECT
  tenant.tenant_id, tenant.plan, tenant.paused,
  coalesce(tenant.concurrency, plan.concurrency) AS concurrency,
  coalesce(tenant.max_jobs_per_minute, plan.max_jobs_per_minute) AS max_jobs_per_minute,
  coalesce(tenant.weight, plan.weight) AS weight,
  coalesce(tenant.max_backlog, plan.max_backlog) AS max_backlog
FROM tenants AS tenant
JOIN plans AS plan ON plan.name = tenant.plan

-- name: limits_of
-- What holds for those of some tenants that have a row.
SELECT
  tenant.tenant_id, tenant.plan, tenant.paused,
  coalesce(tenant.concurrency, plan.concurrency) AS concurrency,
  coalesce(tenant.max_jobs_per_minute, plan.max_jobs_per_minute) AS max_jobs_per_minute,
  coalesce(tenant.weight, plan.weight) AS weight,
  coalesce(tenant.max_backlog, plan.max_backlog) AS max_backlog
FROM tenants AS tenant
JOIN plans AS plan ON plan.name = tenant.plan
WHERE tenant.tenant_id = ANY(%(tenant_ids)s::TEXT[])
