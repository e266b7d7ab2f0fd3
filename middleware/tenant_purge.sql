-- Statements of tenant_purge.py. Rows go a slice at a time, so that no lock and no transaction lasts long.

-- name: count
-- The rows that a tenant has.
SELECT
  (SELECT count(*) FROM job_logs WHERE tenant_id = %(tenant_id)s) AS job_logs,
  (
    SELECT count(*) FROM job_attempts JOIN job_logs USING (job_id) WHERE job_logs.tenant_id = %(tenant_id)s
  ) AS job_attempts,
  (SELECT count(*) FROM dead_letters WHERE tenant_id = %(tenant_id)s) AS dead_letters,
  (SELECT count(*) FROM effects WHERE tenant_id = %(tenant_id)s) AS effects,
  (SELECT count(*) FROM sent_emails WHERE tenant_id = %(tenant_id)s) AS sent_emails,
  (SELECT count(*) FROM webhook_deliveries WHERE tenant_id = %(tenant_id)s) AS webhook_deliveries,
  (SELECT count(*) FROM webhooks WHERE tenant_id = %(tenant_id)s) AS webhooks,
  (SELECT count(*) FROM tenants WHERE tenant_id = %(tenant_id)s) AS tenants

-- name: delete_job_attempts
DELETE FROM job_attempts
WHERE (job_id, run) IN (
  SELECT job_id, run FROM job_attempts JOIN job_logs USING (job_id)
  WHERE job_logs.tenant_id = %(tenant_id)s
  LIMIT %(most)s
)

-- name: delete_job_logs
-- The results of these jobs go with them.
DELETE FROM job_logs
WHERE id IN (SELECT id FROM job_logs WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)
RETURNING job_id

-- name: delete_dead_letters
DELETE FROM dead_letters
WHERE job_id IN (SELECT job_id FROM dead_letters WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)

-- name: delete_effects
DELETE FROM effects
WHERE (job_id, name) IN (SELECT job_id, name FROM effects WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)

-- name: delete_sent_emails
DELETE FROM sent_emails
WHERE id IN (SELECT id FROM sent_emails WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)

-- name: delete_webhook_deliveries
DELETE FROM webhook_deliveries
WHERE id IN (SELECT id FROM webhook_deliveries WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)

-- name: delete_webhooks
DELETE FROM webhooks
WHERE id IN (SELECT id FROM webhooks WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)

-- name: delete_tenants
-- The tenant's own row, at the end: until then it is paused.
DELETE FROM tenants
WHERE tenant_id IN (SELECT tenant_id FROM tenants WHERE tenant_id = %(tenant_id)s LIMIT %(most)s)

-- name: recorded
-- How far the journal of a namespace is recorded.
SELECT position FROM recorder_position WHERE namespace = %(namespace)s
