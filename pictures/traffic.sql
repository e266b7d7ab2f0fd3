-- Statements of traffic.py.

-- name: subscribe
-- A tenant's endpoint for all of its events.
INSERT INTO webhooks (tenant_id, url, secret)
VALUES (%(tenant_id)s, %(url)s, %(secret)s)
