-- Statements of archive.py.

-- name: dead_letters
-- The newest dead letters that match all filters that are given.
SELECT
  job_id, original_queue AS queue, coalesce(tenant_id, '') AS tenant_id, actor, priority, attempts, reason,
  error, error_type, coalesce(traceback, '') AS traceback,
  (extract(epoch FROM coalesce(created_at, failed_at)) * 1000)::BIGINT AS created_ms,
  (extract(epoch FROM failed_at) * 1000)::BIGINT AS failed_ms,
  coalesce(idempotency_key, '') AS key, message
FROM dead_letters
WHERE status = 'dead'
  AND (%(queue)s::TEXT IS NULL OR original_queue = %(queue)s)
  AND (%(tenant)s::TEXT IS NULL OR tenant_id = %(tenant)s)
  AND (%(actor)s::TEXT IS NULL OR actor = %(actor)s)
  AND (%(error)s::TEXT IS NULL OR position(%(error)s IN error) > 0)
ORDER BY failed_at DESC, job_id
LIMIT %(limit)s

-- name: dead_letter
-- One dead letter.
SELECT
  job_id, original_queue AS queue, coalesce(tenant_id, '') AS tenant_id, actor, priority, attempts, reason,
  error, error_type, coalesce(traceback, '') AS traceback,
  (extract(epoch FROM coalesce(created_at, failed_at)) * 1000)::BIGINT AS created_ms,
  (extract(epoch FROM failed_at) * 1000)::BIGINT AS failed_ms,
  coalesce(idempotency_key, '') AS key, message
FROM dead_letters
WHERE status = 'dead' AND job_id = %(job_id)s

-- name: discard
-- Give dead letters up, in both tables at once; of a job only the death that is meant.
WITH given_up AS (
  UPDATE dead_letters
  SET status = 'discarded', discarded_at = CURRENT_TIMESTAMP
  FROM unnest(%(job_ids)s::TEXT[], %(failed_ms)s::BIGINT[]) AS meant (job_id, failed_ms)
  WHERE status = 'dead' AND dead_letters.job_id = meant.job_id
    AND failed_at = to_timestamp(meant.failed_ms / 1000.0)
  RETURNING dead_letters.job_id
), logged AS (
  UPDATE job_logs
  SET status = 'discarded'
  FROM given_up
  WHERE job_logs.job_id = given_up.job_id AND job_logs.status = 'failed'
)
SELECT job_id FROM given_up

-- name: job_state
-- A job's state; one whose time has come is pending, although no event says so.
SELECT
  job_id,
  CASE WHEN status = 'scheduled' AND scheduled_for <= CURRENT_TIMESTAMP THEN 'pending' ELSE status END AS state,
  queue, coalesce(tenant_id, '') AS tenant_id, job_type AS actor, coalesce(priority, 5) AS priority, attempts,
  (extract(epoch FROM created_at) * 1000)::BIGINT AS created_ms,
  (extract(epoch FROM CASE status
    WHEN 'pending' THEN created_at
    WHEN 'scheduled' THEN scheduled_for
    WHEN 'active' THEN started_at
    WHEN 'completed' THEN completed_at
    WHEN 'failed' THEN failed_at
    ELSE 'epoch'
  END) * 1000)::BIGINT AS since_ms,
  CASE WHEN status = 'active' THEN coalesce(worker, '') ELSE '' END AS worker,
  progress, coalesce(progress_note, '') AS progress_note
FROM job_logs
WHERE job_id = %(job_id)s
