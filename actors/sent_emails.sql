-- name: intend
-- Write the intention down unless the job has a row already; returns a row only if it had none.
INSERT INTO sent_emails (job_id, tenant_id, recipient, subject, message_id)
VALUES (%(job_id)s, %(tenant_id)s, %(recipient)s, %(subject)s, %(message_id)s)
ON CONFLICT (job_id) DO NOTHING
RETURNING status;

-- name: doubt
-- A run that finds an intention was preceded by one that never said how it ended; returns what is known now.
UPDATE sent_emails
SET status = CASE status WHEN 'intended' THEN 'in_doubt' ELSE status END
WHERE job_id = %(job_id)s
RETURNING status;

-- name: record
-- The mail server took it.
UPDATE sent_emails
SET status = 'sent', sent_at = CURRENT_TIMESTAMP
WHERE job_id = %(job_id)s;

-- name: withdraw
-- It was certainly not sent; a doubt of an earlier run stays.
DELETE FROM sent_emails
WHERE job_id = %(job_id)s AND status = 'intended';
