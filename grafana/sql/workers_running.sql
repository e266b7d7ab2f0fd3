-- Not bounded in time, since the oldest is the one to see; there are no more of these than threads.
SELECT
  worker AS "Worker",
  count(*) AS "Jobs",
  string_agg(DISTINCT queue, ', ' ORDER BY queue) AS "Queues",
  extract(epoch FROM now() - min(started_at))::FLOAT8 AS "Longest",
  (array_agg(job_id ORDER BY started_at))[1] AS "Longest job"
FROM job_logs
WHERE status = 'active' AND queue ~ '^(${queue:regex})$'
GROUP BY 1
ORDER BY 4 DESC
LIMIT 100
