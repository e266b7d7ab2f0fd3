-- Statements of log_writer.py. Rows travel as one JSON array, moments as milliseconds since the epoch.

-- name: load_rows
-- The rows of a batch's jobs, each with its last run.
SELECT
  log.job_id, log.tenant_id, log.job_type, log.queue, log.status, log.attempts, log.error,
  (extract(epoch FROM log.created_at) * 1000)::BIGINT AS created_ms,
  (extract(epoch FROM log.started_at) * 1000)::BIGINT AS started_ms,
  (extract(epoch FROM log.completed_at) * 1000)::BIGINT AS completed_ms,
  (extract(epoch FROM log.failed_at) * 1000)::BIGINT AS failed_ms,
  (extract(epoch FROM log.scheduled_for) * 1000)::BIGINT AS scheduled_ms,
  log.idempotency_key, log.priority, log.worker, log.progress, log.progress_note, log.traceback,
  log.wait_ms, log.run_ms,
  last.run, last.attempt, last.outcome, last.worker AS run_worker,
  (extract(epoch FROM last.started_at) * 1000)::BIGINT AS run_started_ms
FROM job_logs AS log
LEFT JOIN LATERAL (
  SELECT run, attempt, outcome, worker, started_at
  FROM job_attempts
  WHERE job_id = log.job_id
  ORDER BY run DESC
  LIMIT 1
) AS last ON TRUE
WHERE log.job_id = ANY(%(job_ids)s)

-- name: write_rows
-- Store jobs; a payload that the batch does not know stays as it is.
INSERT INTO job_logs AS log (
  job_id, tenant_id, job_type, queue, status, attempts, payload, result, error,
  created_at, started_at, completed_at, failed_at,
  idempotency_key, priority, scheduled_for, worker, progress, progress_note, traceback, wait_ms, run_ms
)
SELECT
  job_id, tenant_id, job_type, queue, status, attempts, payload, result, error,
  to_timestamp(created_ms / 1000.0), to_timestamp(started_ms / 1000.0),
  to_timestamp(completed_ms / 1000.0), to_timestamp(failed_ms / 1000.0),
  idempotency_key, priority, to_timestamp(scheduled_ms / 1000.0), worker, progress, progress_note, traceback,
  wait_ms, run_ms
FROM json_to_recordset(%(rows)s) AS given (
  job_id TEXT, tenant_id TEXT, job_type TEXT, queue TEXT, status TEXT, attempts INTEGER,
  payload JSONB, result JSONB, error TEXT,
  created_ms BIGINT, started_ms BIGINT, completed_ms BIGINT, failed_ms BIGINT,
  idempotency_key TEXT, priority SMALLINT, scheduled_ms BIGINT, worker TEXT, progress REAL, progress_note TEXT,
  traceback TEXT, wait_ms BIGINT, run_ms BIGINT
)
ON CONFLICT (job_id) DO UPDATE SET
  tenant_id = excluded.tenant_id,
  job_type = excluded.job_type,
  queue = excluded.queue,
  status = excluded.status,
  attempts = excluded.attempts,
  payload = coalesce(excluded.payload, log.payload),
  result = excluded.result,
  error = excluded.error,
  created_at = excluded.created_at,
  started_at = excluded.started_at,
  completed_at = excluded.completed_at,
  failed_at = excluded.failed_at,
  idempotency_key = excluded.idempotency_key,
  priority = excluded.priority,
  scheduled_for = excluded.scheduled_for,
  worker = excluded.worker,
  progress = excluded.progress,
  progress_note = excluded.progress_note,
  traceback = excluded.traceback,
  wait_ms = excluded.wait_ms,
  run_ms = excluded.run_ms

-- name: write_runs
-- Store runs of the timeline.
INSERT INTO job_attempts (
  job_id, run, attempt, outcome, worker, started_at, ended_at, wait_ms, run_ms, error, traceback
)
SELECT
  job_id, run, attempt, outcome, worker, to_timestamp(started_ms / 1000.0), to_timestamp(ended_ms / 1000.0),
  wait_ms, run_ms, error, traceback
FROM json_to_recordset(%(rows)s) AS given (
  job_id TEXT, run INTEGER, attempt INTEGER, outcome TEXT, worker TEXT, started_ms BIGINT, ended_ms BIGINT,
  wait_ms BIGINT, run_ms BIGINT, error TEXT, traceback TEXT
)
ON CONFLICT (job_id, run) DO UPDATE SET
  outcome = excluded.outcome,
  started_at = excluded.started_at,
  ended_at = excluded.ended_at,
  wait_ms = excluded.wait_ms,
  run_ms = excluded.run_ms,
  error = excluded.error,
  traceback = excluded.traceback

-- name: write_dead
-- Store dead letters whole; one that died again after a replay is dead again and keeps the time of the replay.
INSERT INTO dead_letters AS dead (
  job_id, original_queue, tenant_id, actor, payload, message, idempotency_key, priority, created_at,
  error, error_type, traceback, reason, attempts, failed_at, status, replayed_at, discarded_at
)
SELECT
  job_id, original_queue, tenant_id, actor, payload, decode(message, 'base64'), idempotency_key, priority,
  to_timestamp(created_ms / 1000.0), error, error_type, traceback, reason, attempts,
  to_timestamp(failed_ms / 1000.0), status, to_timestamp(replayed_ms / 1000.0),
  to_timestamp(discarded_ms / 1000.0)
FROM json_to_recordset(%(rows)s) AS given (
  job_id TEXT, original_queue TEXT, tenant_id TEXT, actor TEXT, payload JSONB, message TEXT, idempotency_key TEXT,
  priority SMALLINT, created_ms BIGINT, error TEXT, error_type TEXT, traceback TEXT, reason TEXT, attempts INTEGER,
  failed_ms BIGINT, status TEXT, replayed_ms BIGINT, discarded_ms BIGINT
)
ON CONFLICT (job_id) DO UPDATE SET
  original_queue = excluded.original_queue,
  tenant_id = excluded.tenant_id,
  actor = excluded.actor,
  payload = excluded.payload,
  message = excluded.message,
  idempotency_key = coalesce(excluded.idempotency_key, dead.idempotency_key),
  priority = excluded.priority,
  created_at = excluded.created_at,
  error = excluded.error,
  error_type = excluded.error_type,
  traceback = excluded.traceback,
  reason = excluded.reason,
  attempts = excluded.attempts,
  failed_at = excluded.failed_at,
  status = excluded.status,
  replayed_at = coalesce(excluded.replayed_at, dead.replayed_at),
  discarded_at = excluded.discarded_at

-- name: settle_dead
-- Mark dead letters of earlier batches as replayed or discarded.
UPDATE dead_letters AS dead SET
  status = given.status,
  replayed_at = CASE given.status WHEN 'replayed' THEN to_timestamp(given.at_ms / 1000.0) ELSE dead.replayed_at END,
  discarded_at = CASE given.status WHEN 'discarded' THEN to_timestamp(given.at_ms / 1000.0) END
FROM json_to_recordset(%(rows)s) AS given (job_id TEXT, status TEXT, at_ms BIGINT)
WHERE dead.job_id = given.job_id

-- name: begin_position
-- Make sure that the namespace has a position.
INSERT INTO recorder_position (namespace) VALUES (%(namespace)s) ON CONFLICT DO NOTHING

-- name: read_position
-- How far the journal of a namespace is recorded, and what was left out on the way.
SELECT position, left_out FROM recorder_position WHERE namespace = %(namespace)s

-- name: move_position
-- Move on, but only from where this recorder believes to be: two recorders can never both store a batch.
UPDATE recorder_position
SET position = %(after)s, left_out = left_out + %(left_out)s, updated_at = CURRENT_TIMESTAMP
WHERE namespace = %(namespace)s AND position = %(before)s

-- name: try_lock
-- Become the one recorder of a namespace, for as long as this session lasts.
SELECT pg_try_advisory_lock(hashtextextended('jobfleet recorder ' || %(namespace)s, 0)) AS locked

-- name: commit_for_good
-- Redis forgets what is committed here: where the server's commits may be lost with its process, ours may not.
SELECT set_config('synchronous_commit', 'on', FALSE)
WHERE current_setting('synchronous_commit') = 'off'

-- name: notice_our_death
-- Have the server notice within seconds that this client's host has vanished, as its session holds the lock.
SELECT
  set_config('tcp_keepalives_idle', '5', FALSE),
  set_config('tcp_keepalives_interval', '2', FALSE),
  set_config('tcp_keepalives_count', '3', FALSE)
