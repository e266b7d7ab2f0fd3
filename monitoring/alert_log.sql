-- Statements of alert_log.py.

-- name: store
-- What was told of some alerts, each of them once. A repeat finds its row; of what differs the latest telling counts,
-- since an alert may fire again with the beginning that it had.
-- Locked in one order, so that two monitors that are told of the same alerts do not wait for each other.
INSERT INTO alert_notifications AS kept (
  fingerprint, starts_at, name, severity, status, labels, annotations, ends_at, receiver, generator_url
)
SELECT
  fingerprint, starts_at, name, severity, status, labels, annotations, ends_at, receiver, generator_url
FROM jsonb_to_recordset(%(alerts)s) AS told (
  fingerprint TEXT, starts_at TIMESTAMPTZ, name TEXT, severity TEXT, status TEXT, labels JSONB, annotations JSONB,
  ends_at TIMESTAMPTZ, receiver TEXT, generator_url TEXT
)
ORDER BY fingerprint, starts_at
ON CONFLICT (fingerprint, starts_at) DO UPDATE
SET name = EXCLUDED.name, severity = EXCLUDED.severity, status = EXCLUDED.status, labels = EXCLUDED.labels,
  annotations = EXCLUDED.annotations, ends_at = EXCLUDED.ends_at, receiver = EXCLUDED.receiver,
  generator_url = EXCLUDED.generator_url,
  changed_at = CASE WHEN kept.status = EXCLUDED.status THEN kept.changed_at ELSE CURRENT_TIMESTAMP END,
  repeated_at = CURRENT_TIMESTAMP,
  times = kept.times + 1
RETURNING fingerprint, starts_at, passed_on IS DISTINCT FROM status AS is_news

-- name: passed_on
-- All receivers were told of these.
UPDATE alert_notifications
SET passed_on = told.status
FROM unnest(%(fingerprints)s::TEXT[], %(beginnings)s::TIMESTAMPTZ[], %(statuses)s::TEXT[])
  AS told (fingerprint, starts_at, status)
WHERE alert_notifications.fingerprint = told.fingerprint AND alert_notifications.starts_at = told.starts_at

-- name: alerts
-- The newest alerts that match all filters that are given.
SELECT
  id, fingerprint, name, severity, status, labels, annotations, starts_at, ends_at, receiver, generator_url,
  received_at, changed_at, repeated_at, times, passed_on
FROM alert_notifications
WHERE (%(status)s::TEXT IS NULL OR status = %(status)s)
  AND (%(name)s::TEXT IS NULL OR name = %(name)s)
  AND (%(severity)s::TEXT IS NULL OR severity = %(severity)s)
  AND (%(queue)s::TEXT IS NULL OR labels ->> 'queue' = %(queue)s)
  AND (%(since)s::TIMESTAMPTZ IS NULL OR received_at >= %(since)s)
  AND (%(before)s::TIMESTAMPTZ IS NULL OR received_at < %(before)s)
  AND (%(after)s::BIGINT IS NULL OR id < %(after)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: forget
-- Some of what nobody has told of for longer than it is kept.
DELETE FROM alert_notifications
WHERE id IN (
  SELECT id FROM alert_notifications
  WHERE repeated_at < CURRENT_TIMESTAMP - make_interval(days => %(days)s)
  ORDER BY repeated_at
  LIMIT %(limit)s
)
