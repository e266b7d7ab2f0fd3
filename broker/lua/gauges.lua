-- What the exporter shows beside the counters, read at one moment: O(queues) and O(leases), whatever waits
-- and however many tenants there are.
--
-- include: keys record fleet limits oldest_in_line resumed oldest_wait threads
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {{queue, most jobs of it that one worker runs at once (0: no such bound), {tenant, ...}}, ...}; these
--          queues are looked at although nobody may have used them yet; tenants = those that were answered last
-- Returns packed {now, events in the journal, time of its oldest entry, workers, threads of theirs that may run jobs,
--   those of them that do, row, ...}; row = {queue, waiting, active, scheduled, dead, dead that Redis still holds,
--   parked, paused, oldest wait since, oldest run since, oldest death, workers, threads of theirs that may run its
--   jobs, those that do, those that could start one more, {tenant that waits longest, ...}}; moments in ms, 0 where
--   there is none; waiting without parked; scheduled with what a tenant's rate holds; a run counts from its fetch.
local now = read_clock()
local asked = cmsgpack.unpack(ARGV[1])

local function first_score(key) return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 0) end

local named, bounds, known = {}, {}, {}
for i, row in ipairs(asked) do named[i], bounds[row[1]], known[row[1]] = row[1], row[2], row[3] end
local serving = look_at_threads(bounds)

local function row_of(queue)
  local parked = tonumber(redis.call('HGET', PARKED_JOBS, queue) or 0)
  local left, returned = unpack(redis.call('HMGET', METRICS, 'dead_archived\t' .. queue, 'dead_returned\t' .. queue))
  local dead = redis.call('ZCARD', dead_key(queue))
  local oldest, longest = oldest_wait(queue, known[queue] or {})
  local served = serving.queues[queue] or NOBODY
  return {
    queue,
    math.max(0, tonumber(redis.call('HGET', waiting_key(queue), 'n') or 0) - parked),
    redis.call('ZCARD', active_key(queue)),
    redis.call('ZCARD', scheduled_key(queue)) + tonumber(redis.call('HGET', HELD, queue) or 0),
    dead + math.max(0, (left or 0) - (returned or 0)),
    dead,
    parked,
    redis.call('SISMEMBER', PAUSED, 'queue:' .. queue),
    oldest,
    first_score(active_key(queue)),
    first_score(dead_key(queue)),
    served.workers,
    served.threads,
    served.busy,
    served.free,
    longest,
  }
end

local oldest = redis.call('XRANGE', JOURNAL, '-', '+', 'COUNT', 1)[1]
local answer = {
  now,
  math.max(0, journal_events),
  oldest and tonumber(string.match(oldest[1], '^%d+')) or 0,
  serving.workers,
  serving.threads,
  serving.busy,
}
local seen = {}
local function answer_for(queues)
  for _, queue in ipairs(queues) do
    if not seen[queue] then answer[#answer + 1] = row_of(queue) end
    seen[queue] = true
  end
end
answer_for(named)
answer_for(redis.call('SMEMBERS', QUEUES))
return cmsgpack.pack(answer)
