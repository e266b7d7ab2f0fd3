-- Statements of effect_records.py: what the recorder writes in the place of a run. Each is named by the run; with
-- values of its own it gets job_id and at_ms, the moment of the run's settle. None overwrites what is known better.

-- name: sent_email
-- The mail server took the email of a job.
UPDATE sent_emails
SET status = 'sent', sent_at = to_timestamp(%(at_ms)s / 1000.0)
WHERE job_id = %(job_id)s AND status <> 'sent';

-- name: webhook_delivery
-- One attempt to deliver, and how it ended; to an endpoint that is removed by now there is none.
INSERT INTO webhook_deliveries
  (webhook_id, job_id, tenant_id, event, status, attempt, http_status, response_time_ms, error, url, created_at)
SELECT
  id, %(job_id)s, %(tenant_id)s, %(event)s, %(status)s, %(attempt)s, %(http_status)s::INTEGER,
  %(response_time_ms)s, %(error)s::TEXT, %(url)s, to_timestamp(%(at_ms)s / 1000.0)
FROM webhooks
WHERE id = %(webhook_id)s;
