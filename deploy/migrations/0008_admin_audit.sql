-- Who changed what over the monitor's HTTP: a row is written before the change and completed after it.

CREATE TABLE admin_audit (
  -- Made by the monitor, so that a row that had to wait for PostgreSQL is written once.
  id UUID PRIMARY KEY,
  -- When it was asked for, by the monitor's clock.
  at TIMESTAMPTZ NOT NULL,
  -- The role of the token, and what tells one token from another without being one.
  role TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  -- The address of the connection, and the one that a proxy, or whoever claims to be one, has named.
  remote TEXT NOT NULL,
  forwarded_for TEXT,
  method TEXT NOT NULL,
  -- Such as /admin/queues/{queue}/pause; its variable parts are among the parameters.
  route TEXT NOT NULL,
  parameters JSONB NOT NULL,
  -- How it was answered; NULL while it is under way, and for good when the monitor died on the way.
  status SMALLINT,
  answered_at TIMESTAMPTZ,
  -- Why it was refused, or what was done.
  error TEXT,
  answer JSONB,
  -- Later than it was asked for by an outage of PostgreSQL.
  written_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT admin_audit_role_known CHECK (role IN ('admin', 'viewer', 'alertmanager')),
  CONSTRAINT admin_audit_status_is_http CHECK (status BETWEEN 100 AND 599),
  CONSTRAINT admin_audit_answered_has_its_time CHECK ((status IS NULL) = (answered_at IS NULL)),
  CONSTRAINT admin_audit_refused_says_why CHECK (error IS NULL OR status >= 400),
  CONSTRAINT admin_audit_done_says_what CHECK (answer IS NULL OR status < 400)
);

CREATE INDEX idx_admin_audit_at ON admin_audit(at DESC, id DESC);
CREATE INDEX idx_admin_audit_route ON admin_audit(route, at DESC, id DESC);
