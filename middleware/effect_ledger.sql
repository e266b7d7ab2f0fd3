-- Statements of effect_ledger.py.

-- name: intend
-- Write the intention down unless the job has this effect already; returns a row only if it had not.
INSERT INTO effects (job_id, name, tenant_id, run)
VALUES (%(job_id)s, %(name)s, %(tenant_id)s, %(run)s)
ON CONFLICT (job_id, name) DO NOTHING
RETURNING status;

-- name: doubt
-- A run that finds an intention was preceded by one that never said how it ended; returns what is known now.
UPDATE effects
SET status = CASE status WHEN 'intended' THEN 'in_doubt' ELSE status END,
    run = CASE status WHEN 'done' THEN run ELSE %(run)s END
WHERE job_id = %(job_id)s AND name = %(name)s
RETURNING status, run, result;

-- name: withdraw
-- It has certainly not happened in this run; a doubt of an earlier run stays.
DELETE FROM effects
WHERE job_id = %(job_id)s AND name = %(name)s AND run = %(run)s AND status = 'intended';

-- name: resolve_happened
-- A person knows that it happened.
UPDATE effects
SET status = 'done', done_at = CURRENT_TIMESTAMP
WHERE job_id = %(job_id)s AND name = %(name)s AND status <> 'done';

-- name: resolve_never_happened
-- A person knows that it did not.
DELETE FROM effects
WHERE job_id = %(job_id)s AND name = %(name)s AND status <> 'done';
