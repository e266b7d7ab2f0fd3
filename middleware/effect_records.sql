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

-- name: effect
-- An effect of an application's own job has happened (effect_ledger.py, which writes it now: at_ms is NULL then).
-- What another run has recorded stays, and a row that somebody removed is there again.
INSERT INTO effects (job_id, name, tenant_id, run, status, result, done_at)
VALUES (
  %(job_id)s, %(name)s, %(tenant_id)s, %(run)s, 'done', %(result)s::JSONB,
  coalesce(to_timestamp(%(at_ms)s::BIGINT / 1000.0), CURRENT_TIMESTAMP)
)
ON CONFLICT (job_id, name) DO UPDATE
SET status = 'done', run = excluded.run, result = excluded.result, done_at = excluded.done_at
WHERE effects.status <> 'done';
