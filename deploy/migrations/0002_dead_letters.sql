-- Jobs that failed for good, whole: a replay can rebuild each of them from here when Redis has let it go.

CREATE TABLE dead_letters (
  job_id VARCHAR(255) PRIMARY KEY,
  original_queue VARCHAR(50) NOT NULL,
  tenant_id TEXT,
  actor VARCHAR(100) NOT NULL,
  -- For reading; arguments that the actor names are redacted here.
  payload JSONB,
  -- The encoded message, byte for byte; nothing is redacted, a replay needs all of it.
  message BYTEA NOT NULL,
  idempotency_key TEXT,
  priority SMALLINT NOT NULL DEFAULT 5,
  created_at TIMESTAMPTZ,
  error TEXT NOT NULL,
  error_type TEXT NOT NULL DEFAULT '',
  traceback TEXT,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  failed_at TIMESTAMPTZ NOT NULL,
  status TEXT NOT NULL DEFAULT 'dead',
  replayed_at TIMESTAMPTZ,
  discarded_at TIMESTAMPTZ,

  CONSTRAINT dead_letters_status_known CHECK (status IN ('dead', 'replayed', 'discarded')),
  -- A job that dies again after a replay keeps the time of that replay.
  CONSTRAINT dead_letters_replayed_has_its_time CHECK (status <> 'replayed' OR replayed_at IS NOT NULL),
  CONSTRAINT dead_letters_discarded_has_its_time CHECK ((status = 'discarded') = (discarded_at IS NOT NULL)),
  CONSTRAINT dead_letters_priority_in_range CHECK (priority BETWEEN 1 AND 9),
  CONSTRAINT dead_letters_attempts_counted CHECK (attempts >= 0),
  CONSTRAINT dead_letters_message_not_empty CHECK (length(message) > 0)
);

-- The filters of `jobfleet dead list`: what is dead now, newest first.
CREATE INDEX idx_dead_letters_failed ON dead_letters(failed_at DESC) WHERE status = 'dead';
CREATE INDEX idx_dead_letters_queue ON dead_letters(original_queue, failed_at DESC) WHERE status = 'dead';
CREATE INDEX idx_dead_letters_tenant ON dead_letters(tenant_id, failed_at DESC) WHERE status = 'dead';
CREATE INDEX idx_dead_letters_error ON dead_letters(error_type, failed_at DESC) WHERE status = 'dead';
