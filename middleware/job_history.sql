-- Statements of job_history.py. A scheduled job whose time has come is pending, although no event says so.

-- name: jobs
-- The newest jobs that match all filters that are given.
SELECT
  job_id, coalesce(tenant_id, '') AS tenant_id, job_type AS actor, queue,
  CASE WHEN status = 'scheduled' AND scheduled_for <= CURRENT_TIMESTAMP THEN 'pending' ELSE status END AS status,
  attempts, priority, payload, result, error, traceback, created_at, started_at, completed_at, failed_at,
  scheduled_for, idempotency_key, worker, progress, progress_note, wait_ms, run_ms
FROM job_logs
WHERE (%(queue)s::TEXT IS NULL OR queue = %(queue)s)
  AND (%(tenant)s::TEXT IS NULL OR tenant_id = %(tenant)s)
  AND (%(actor)s::TEXT IS NULL OR job_type = %(actor)s)
  AND (%(before)s::TIMESTAMPTZ IS NULL OR created_at < %(before)s)
  AND (%(since)s::TIMESTAMPTZ IS NULL OR created_at >= %(since)s)
  AND (
    %(after)s::TEXT IS NULL
    OR (created_at, id) < (SELECT last.created_at, last.id FROM job_logs AS last WHERE last.job_id = %(after)s)
  )
  AND (
    %(status)s::TEXT IS NULL
    OR (status = %(status)s AND (status <> 'scheduled' OR scheduled_for > CURRENT_TIMESTAMP))
    OR (%(status)s = 'pending' AND status = 'scheduled' AND scheduled_for <= CURRENT_TIMESTAMP)
  )
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s

-- name: job
-- One job.
SELECT
  job_id, coalesce(tenant_id, '') AS tenant_id, job_type AS actor, queue,
  CASE WHEN status = 'scheduled' AND scheduled_for <= CURRENT_TIMESTAMP THEN 'pending' ELSE status END AS status,
  attempts, priority, payload, result, error, traceback, created_at, started_at, completed_at, failed_at,
  scheduled_for, idempotency_key, worker, progress, progress_note, wait_ms, run_ms
FROM job_logs
WHERE job_id = %(job_id)s

-- name: runs
-- The timeline of one job.
SELECT run, attempt, outcome, worker, started_at, ended_at, wait_ms, run_ms, error, traceback
FROM job_attempts
WHERE job_id = %(job_id)s
ORDER BY run
