-- Not bounded in time, since the oldest is the one to see; there are no more of these than threads.
SELECT
  extract(epoch FROM now() - started_at)::FLOAT8 AS "Running for",
  queue AS "Queue",
  job_type AS "Actor",
  tenant_id AS "Tenant",
  attempts + 1 AS "Attempt",
  progress::FLOAT8 AS "Progress",
  worker AS "Worker",
  job_id AS "Job"
FROM job_logs
WHERE status = 'active' AND queue ~ '^(${queue:regex})$'
ORDER BY started_at
LIMIT 50
