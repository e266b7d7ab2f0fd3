-- Statements of tenant_watch.py.

-- name: listen
-- Be told of changes at once; each is told with its tenant's id, or with * where it is about all.
LISTEN jobfleet_tenants

-- name: look
-- What was written by transactions that were under way or had not begun at an earlier look, and enough of the rest to
-- see that rows are gone or plans have changed. "horizon" is what the next look gives as "since".
SELECT
  pg_snapshot_xmin(pg_current_snapshot())::TEXT AS horizon,
  (SELECT count(*) FROM tenants) AS tenants,
  (SELECT coalesce(md5(string_agg(plan::TEXT, ',' ORDER BY plan.name)), '') FROM plans AS plan) AS plans,
  (
    SELECT coalesce(json_object_agg(tenant_id, changed_by::TEXT), '{}')
    FROM tenants
    WHERE changed_by >= %(since)s::XID8
  ) AS changed

-- name: horizon
-- Where the first look begins.
SELECT pg_snapshot_xmin(pg_current_snapshot())::TEXT AS horizon
