-- What Alertmanager told the monitor: one row per time that an alert fired, which says how it stands.

CREATE TABLE alert_notifications (
  id BIGSERIAL PRIMARY KEY,
  -- Alertmanager's own for a set of labels; the same alert fires again with another beginning.
  fingerprint TEXT NOT NULL,
  starts_at TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,
  labels JSONB NOT NULL,
  annotations JSONB NOT NULL,
  -- Unknown while it fires.
  ends_at TIMESTAMPTZ,
  -- The receiver's name in Alertmanager's configuration, and where the alert can be seen.
  receiver TEXT NOT NULL,
  generator_url TEXT NOT NULL,
  -- First told of it, told of its status as it is now, last told of it, and how often.
  received_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  changed_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  repeated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  times INTEGER NOT NULL DEFAULT 1,
  -- The status of which all receivers were told; NULL before any was.
  passed_on TEXT,

  CONSTRAINT alert_notifications_status_known CHECK (status IN ('firing', 'resolved')),
  CONSTRAINT alert_notifications_passed_on_known CHECK (passed_on IN ('firing', 'resolved')),
  CONSTRAINT alert_notifications_told_at_least_once CHECK (times >= 1),
  CONSTRAINT alert_notifications_fingerprint_not_empty CHECK (fingerprint <> ''),
  -- A repeat of a notification finds its row.
  CONSTRAINT alert_notifications_one_row_per_firing UNIQUE (fingerprint, starts_at)
);

CREATE INDEX idx_alert_notifications_name ON alert_notifications(name, id DESC);
CREATE INDEX idx_alert_notifications_status ON alert_notifications(status, id DESC);
CREATE INDEX idx_alert_notifications_repeated ON alert_notifications(repeated_at);
