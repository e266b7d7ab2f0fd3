-- Statements of plans.py.

-- name: seed
-- Put plans where there is none of that name; always in the same order, so that two who do it never wait in a circle.
INSERT INTO plans (name, concurrency, max_jobs_per_minute, weight, max_backlog)
SELECT name, concurrency, max_jobs_per_minute, weight, max_backlog
FROM json_to_recordset(%(plans)s) AS given (
  name TEXT, concurrency INTEGER, max_jobs_per_minute INTEGER, weight INTEGER, max_backlog INTEGER
)
WHERE NOT EXISTS (SELECT FROM plans WHERE plans.name = given.name)
ORDER BY name
ON CONFLICT (name) DO NOTHING

-- name: plans
-- All plans, the smallest first.
SELECT name, concurrency, max_jobs_per_minute, weight, max_backlog
FROM plans
ORDER BY max_jobs_per_minute, concurrency, name
