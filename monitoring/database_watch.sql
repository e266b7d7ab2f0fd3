-- Statements of database_watch.py.

-- name: oldest_deaths
-- When the oldest dead letter of each queue died; one step down an index for each of them.
SELECT named.queue, oldest.failed_at
FROM unnest(%(queues)s::TEXT[]) AS named (queue)
CROSS JOIN LATERAL (
  SELECT failed_at
  FROM dead_letters
  WHERE status = 'dead' AND original_queue = named.queue
  ORDER BY failed_at
  LIMIT 1
) AS oldest
