-- Accept jobs: one round trip, all or nothing for each job.
--
-- include: keys record clock metrics journal lines
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {journal_max, jobs}; job = {id, queue, tenant, actor, priority, delay ms, key}
-- ARGV[1 + i]  the encoded message of job i
-- Returns one number per job: 1 accepted, 2 known already (a repeat of the same send changes
-- nothing; an id is remembered until at least 60 s after its job has ended), 3 journal at its cap.
local now = read_clock()
local request = cmsgpack.unpack(ARGV[1])
local journal_max, jobs = request[1], request[2]

local ids = {}
for i, job in ipairs(jobs) do ids[i] = job[1] end
local ended = {}
local epoch = math.floor(now / 30000)
for back = 0, 2 do
  local key = ended_key(epoch - back)
  if redis.call('EXISTS', key) == 1 then
    for i, known in ipairs(redis.call('SMISMEMBER', key, unpack(ids))) do
      if known == 1 then ended[i] = true end
    end
  end
end

local outcomes = {}
local first = next_places(#jobs)
for i, job in ipairs(jobs) do
  local id, queue, tenant, actor, priority, delay, key = unpack(job)
  if ended[i] or redis.call('HEXISTS', JOBS, id) == 1 then
    outcomes[i] = 2
  elseif has_recorder and journal_events + #events >= journal_max then
    outcomes[i] = 3
  else
    local message = ARGV[1 + i]
    local record = {FORMAT, queue, tenant, actor, priority, 0, now, 0, key, message}
    redis.call('HSET', JOBS, id, cmsgpack.pack(record))
    redis.call('SADD', QUEUES, queue)
    local due = 0
    if delay > 0 then
      due = now + delay
      schedule(queue, id, due)
    else
      join_line(queue, tenant, id, place(priority, first + i), now)
    end
    event('enqueued', id, tenant, queue, actor, 0, '', {priority = priority, message = message, due_ms = due, key = key})
    count('jobs_enqueued\t' .. queue .. '\t' .. actor)
    outcomes[i] = 1
  end
end
write_journal()
write_metrics()
wake_touched()
return outcomes
