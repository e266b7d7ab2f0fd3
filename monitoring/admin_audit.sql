-- Statements of admin_audit.py.

-- name: write
-- A change as it is known so far. Of one that is written already only what was open is filled in: writing again does
-- no harm, nor does what was sent first and arrives last.
INSERT INTO admin_audit (
  id, at, role, fingerprint, remote, forwarded_for, method, route, parameters, status, answered_at, error, answer
)
VALUES (
  %(id)s, %(at)s, %(role)s, %(fingerprint)s, %(remote)s, %(forwarded_for)s, %(method)s, %(route)s, %(parameters)s,
  %(status)s, %(answered_at)s, %(error)s, %(answer)s
)
ON CONFLICT (id) DO UPDATE
SET parameters = EXCLUDED.parameters, status = EXCLUDED.status, answered_at = EXCLUDED.answered_at,
  error = EXCLUDED.error, answer = EXCLUDED.answer
WHERE admin_audit.status IS NULL AND EXCLUDED.status IS NOT NULL

-- name: known
-- Whether there is such a row.
SELECT id FROM admin_audit WHERE id = %(id)s

-- name: changes
-- The newest changes that match all filters that are given.
SELECT
  id::TEXT AS id, at, role, fingerprint, remote, forwarded_for, method, route, parameters, status, answered_at, error,
  answer, written_at
FROM admin_audit
WHERE (%(route)s::TEXT IS NULL OR route = %(route)s)
  AND (%(since)s::TIMESTAMPTZ IS NULL OR at >= %(since)s)
  AND (%(before)s::TIMESTAMPTZ IS NULL OR at < %(before)s)
  AND (
    %(after)s::UUID IS NULL
    OR (at, id) < (SELECT last.at, last.id FROM admin_audit AS last WHERE last.id = %(after)s)
  )
ORDER BY at DESC, id DESC
LIMIT %(limit)s

-- name: forget
-- Some of what is older than it is kept.
DELETE FROM admin_audit
WHERE id IN (
  SELECT id FROM admin_audit
  WHERE at < CURRENT_TIMESTAMP - make_interval(days => %(days)s)
  ORDER BY at
  LIMIT %(limit)s
)
