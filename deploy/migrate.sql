-- Statements of migrate.py.

-- name: lock
-- Wait for the one lock of all migrations; it is given back when the session ends.
SELECT pg_advisory_lock(hashtextextended('jobfleet migrate', 0))

-- name: create_table
-- The list of applied files.
CREATE TABLE IF NOT EXISTS jobfleet_migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  checksum TEXT NOT NULL
)

-- name: has_table
-- Whether anything was ever applied here.
SELECT to_regclass('jobfleet_migrations') IS NOT NULL AS present

-- name: applied
-- What was applied, with the checksum of the file as it was then.
SELECT version, name, checksum FROM jobfleet_migrations ORDER BY version

-- name: record
-- Write down that a file was applied.
INSERT INTO jobfleet_migrations (version, name, checksum)
VALUES (%(version)s, %(name)s, %(checksum)s)
