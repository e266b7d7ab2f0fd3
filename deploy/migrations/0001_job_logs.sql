-- The job log: one row per job, and one row per run of it. The recorder writes both from the journal.

CREATE TABLE job_logs (
  id BIGSERIAL PRIMARY KEY,
  tenant_id TEXT,

  -- Job info
  job_id VARCHAR(255) UNIQUE NOT NULL,
  job_type VARCHAR(100) NOT NULL,
  queue VARCHAR(50) NOT NULL,

  -- Status
  status VARCHAR(50) NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,

  -- Data
  payload JSONB,
  result JSONB,
  error TEXT,

  -- Timestamps
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  failed_at TIMESTAMPTZ,

  -- How it was sent and how it runs
  idempotency_key TEXT,
  priority SMALLINT,
  scheduled_for TIMESTAMPTZ,
  worker TEXT,
  progress REAL,
  progress_note TEXT,
  traceback TEXT,
  wait_ms BIGINT,
  run_ms BIGINT,

  CONSTRAINT job_logs_status_known CHECK (
    status IN ('pending', 'scheduled', 'active', 'completed', 'failed', 'cancelled', 'skipped', 'discarded')
  ),
  CONSTRAINT job_logs_completed_has_its_time CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
  CONSTRAINT job_logs_failed_has_its_time CHECK (status <> 'failed' OR failed_at IS NOT NULL),
  -- A discarded job keeps the time at which it failed; a replayed one is no failure any more.
  CONSTRAINT job_logs_only_failed_has_failed_at CHECK (failed_at IS NULL OR status IN ('failed', 'discarded')),
  CONSTRAINT job_logs_failed_has_an_error CHECK (status <> 'failed' OR error IS NOT NULL),
  CONSTRAINT job_logs_active_has_started CHECK (status <> 'active' OR started_at IS NOT NULL),
  CONSTRAINT job_logs_scheduled_has_its_time CHECK (status <> 'scheduled' OR scheduled_for IS NOT NULL),
  CONSTRAINT job_logs_attempts_counted CHECK (attempts >= 0),
  CONSTRAINT job_logs_priority_in_range CHECK (priority BETWEEN 1 AND 9),
  CONSTRAINT job_logs_progress_is_a_fraction CHECK (progress BETWEEN 0 AND 1),
  CONSTRAINT job_logs_wait_not_negative CHECK (wait_ms >= 0),
  CONSTRAINT job_logs_run_not_negative CHECK (run_ms >= 0)
);

CREATE INDEX idx_job_logs_tenant ON job_logs(tenant_id);
CREATE INDEX idx_job_logs_status ON job_logs(status);
CREATE INDEX idx_job_logs_created ON job_logs(created_at);

-- "What did this tenant send lately", "the newest failures of this queue", "every run of this actor".
CREATE INDEX idx_job_logs_tenant_created ON job_logs(tenant_id, created_at DESC);
CREATE INDEX idx_job_logs_queue_status_created ON job_logs(queue, status, created_at DESC);
CREATE INDEX idx_job_logs_type_created ON job_logs(job_type, created_at DESC);

CREATE TABLE job_attempts (
  job_id VARCHAR(255) NOT NULL REFERENCES job_logs(job_id) ON DELETE CASCADE,
  -- Counts every run from 1, also those that were no attempt because the worker was lost or a dependency away.
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  worker TEXT,
  -- Unknown when a run was lost before its start was written down.
  started_at TIMESTAMPTZ,
  ended_at TIMESTAMPTZ,
  wait_ms BIGINT,
  run_ms BIGINT,
  error TEXT,
  traceback TEXT,

  PRIMARY KEY (job_id, run),
  CONSTRAINT job_attempts_outcome_known CHECK (
    outcome IN (
      'running', 'completed', 'retry', 'failed', 'skipped', 'cancelled', 'lost', 'released', 'postponed'
    )
  ),
  CONSTRAINT job_attempts_run_from_one CHECK (run >= 1),
  CONSTRAINT job_attempts_attempt_counted CHECK (attempt >= 0),
  CONSTRAINT job_attempts_running_has_no_end CHECK ((outcome = 'running') = (ended_at IS NULL)),
  CONSTRAINT job_attempts_running_has_started CHECK (outcome <> 'running' OR started_at IS NOT NULL),
  CONSTRAINT job_attempts_failure_has_an_error CHECK (outcome NOT IN ('retry', 'failed') OR error IS NOT NULL),
  CONSTRAINT job_attempts_wait_not_negative CHECK (wait_ms >= 0),
  CONSTRAINT job_attempts_run_not_negative CHECK (run_ms >= 0)
);
