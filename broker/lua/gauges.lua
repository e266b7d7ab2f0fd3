-- What the exporter shows beside the counters, read at one moment: O(queues) and O(leases), whatever waits
-- and however many tenants there are.
--
-- include: keys record fleet limits oldest_in_line resumed
--
-- KEYS[1]  namespace in braces
-- ARGV     queue, most jobs of it that one worker runs at once (0: no such bound), ...; these queues are looked
--          at although nobody may have used them yet
-- Returns packed {now, events in the journal, time of its oldest entry, row, ...}; row = {queue, waiting, active,
--   scheduled, dead, dead that Redis still holds, parked, paused, oldest wait since, oldest run since, oldest
--   death, workers, threads of theirs that may run its jobs, those of them that do}; moments in ms, 0 where there is none;
--   waiting without parked; scheduled with what a tenant's rate holds; a run counts from its fetch.
local now = read_clock()

-- Tenants of one queue whose lines are looked at for the oldest job: those whose turn comes next.
local TURNS_LOOKED_AT = 20

local function first_score(key) return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 0) end

-- Tenant -> since when its jobs wait for the fleet and not for its own limit; nothing where it has no free slot.
local function free_since(tenants)
  read_limits(tenants)
  local fields, since = {}, {}
  for i, tenant in ipairs(tenants) do fields[2 * i - 1], fields[2 * i] = tenant, tenant .. ':back' end
  local known = redis.call('HMGET', RUNNING, unpack(fields))
  for i, tenant in ipairs(tenants) do
    local limits = limits_of(tenant)
    if not limits then
      since[tenant] = 0
    elseif limits[T_PAUSED] ~= 1 and tonumber(known[2 * i - 1] or 0) < limits[T_CONCURRENCY] then
      since[tenant] = tonumber(known[2 * i] or 0)
    end
  end
  return since
end

-- Since when a job waits for the fleet, and not for who had paused its queue or its actor.
local function waits_since(record)
  return math.max(record[R_SINCE], resumed_since(record[R_QUEUE], record[R_ACTOR]))
end

local function oldest_wait_since(queue)
  if redis.call('EXISTS', PLANS) == 0 then
    local second = tonumber(redis.call('ZRANGE', oldest_key(queue), 0, 0)[1] or 0)
    return second > 0 and math.max(second * 1000, resumed_since(queue, '')) or 0
  end
  local next_ones = redis.call('ZRANGE', ring_key(queue), 0, TURNS_LOOKED_AT - 1)
  if #next_ones == 0 then return 0 end
  local oldest = now
  for tenant, since in pairs(free_since(next_ones)) do
    -- What was parked until then has not waited for the fleet any longer.
    if since < oldest then
      oldest = math.min(oldest, math.max(since, oldest_in_line(line_key(queue, tenant), now, waits_since)))
    end
  end
  return oldest < now and oldest or 0
end

-- Threads of workers that are alive, by queue; one that serves several queues counts in each.
local workers, threads, busy = {}, {}, {}
local bounds, named = {}, {}
for i = 1, #ARGV, 2 do
  named[#named + 1] = ARGV[i]
  bounds[ARGV[i]] = tonumber(ARGV[i + 1])
end
local function add(sums, queue, n) sums[queue] = (sums[queue] or 0) + n end

local function bounded(queue, n)
  local bound = bounds[queue] or 0
  return bound > 0 and math.min(n, bound) or n
end

local function look_at_worker(worker)
  local own, served = unpack(redis.call('HMGET', worker_key(worker), 'threads', 'queues'))
  own = tonumber(own or 0)
  for queue in string.gmatch(served or '', '%S+') do
    add(workers, queue, 1)
    add(threads, queue, bounded(queue, own))
  end
  local held = {}
  for _, packed in ipairs(redis.call('HVALS', leases_key(worker))) do add(held, cmsgpack.unpack(packed)[L_QUEUE], 1) end
  -- A worker holds a few jobs more than it runs.
  for queue, n in pairs(held) do add(busy, queue, math.min(n, bounded(queue, own))) end
end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, now, '+inf')) do look_at_worker(worker) end

local function row_of(queue)
  local parked = tonumber(redis.call('HGET', PARKED_JOBS, queue) or 0)
  local left, returned = unpack(redis.call('HMGET', METRICS, 'dead_archived\t' .. queue, 'dead_returned\t' .. queue))
  local dead = redis.call('ZCARD', dead_key(queue))
  return {
    queue,
    math.max(0, tonumber(redis.call('HGET', waiting_key(queue), 'n') or 0) - parked),
    redis.call('ZCARD', active_key(queue)),
    redis.call('ZCARD', scheduled_key(queue)) + tonumber(redis.call('HGET', HELD, queue) or 0),
    dead + math.max(0, (left or 0) - (returned or 0)),
    dead,
    parked,
    redis.call('SISMEMBER', PAUSED, 'queue:' .. queue),
    oldest_wait_since(queue),
    first_score(active_key(queue)),
    first_score(dead_key(queue)),
    workers[queue] or 0,
    threads[queue] or 0,
    busy[queue] or 0,
  }
end

local oldest = redis.call('XRANGE', JOURNAL, '-', '+', 'COUNT', 1)[1]
local answer = {now, math.max(0, journal_events), oldest and tonumber(string.match(oldest[1], '^%d+')) or 0}
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
