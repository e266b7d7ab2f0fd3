-- name: find
-- One endpoint of a tenant, and whether this job has already delivered to it.
SELECT id, url, secret, secret_previous, active,
       EXISTS (
         SELECT FROM webhook_deliveries
         WHERE job_id = %(job_id)s AND webhook_id = webhooks.id AND status = 'success'
       ) AS delivered
FROM webhooks
WHERE id = %(webhook_id)s AND tenant_id = %(tenant_id)s;

-- name: subscribed
-- The active endpoints of a tenant that want an event, oldest first.
SELECT id
FROM webhooks
WHERE tenant_id = %(tenant_id)s AND active AND events && ARRAY[%(event)s, '*']
ORDER BY id;

-- name: disable
-- Nobody is there any more; the first reason stays.
UPDATE webhooks
SET active = FALSE, disabled_at = CURRENT_TIMESTAMP, disabled_reason = %(reason)s
WHERE id = %(webhook_id)s AND active;
