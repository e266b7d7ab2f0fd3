-- Statements with which test_demo.py reads the demo's database, independently of the fleet's own.

-- name: counts
-- Jobs by queue and status.
SELECT queue, status, count(*) AS jobs
FROM job_logs
GROUP BY queue, status

-- name: jobs
-- Every job with its attempts; what was no attempt is left out.
SELECT
  job_logs.job_id, job_logs.queue, job_logs.status, job_logs.attempts,
  coalesce(
    payload ->> 'to',
    regexp_replace(webhooks.url, '^https?://[^/]*', '') || ' ' || (payload -> 'payload' ->> 'order')
  ) AS key,
  runs.outcomes, runs.errors, runs.started, runs.ended
FROM job_logs
LEFT JOIN webhooks ON webhooks.id = (payload ->> 'webhook_id')::BIGINT
CROSS JOIN LATERAL (
  SELECT
    array_agg(outcome ORDER BY run) AS outcomes,
    array_agg(error ORDER BY run) AS errors,
    array_agg(extract(epoch FROM started_at)::FLOAT ORDER BY run) AS started,
    array_agg(extract(epoch FROM ended_at)::FLOAT ORDER BY run) AS ended
  FROM job_attempts
  WHERE job_attempts.job_id = job_logs.job_id AND outcome IN ('completed', 'retry', 'failed', 'skipped')
) AS runs

-- name: deliveries
-- What the webhook actor wrote down of its attempts.
SELECT job_id, attempt, http_status
FROM webhook_deliveries

-- name: sent
-- What the email actor wrote down.
SELECT recipient, trim(message_id) AS message_id
FROM sent_emails
WHERE status = 'sent'
