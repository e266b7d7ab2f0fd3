-- How many jobs of a queue run and could run now: what to scale its workers by. What waits for its tenant's own
-- limit could not run, however much it is. O(tenants that have a turn in the queue).
--
-- include: keys fleet limits
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  queue
-- ARGV[2]  ms within which a scheduled job counts as due soon
-- Returns {running, could run, scheduled jobs that are due soon}.
local now = read_clock()
local queue = ARGV[1]
local running = redis.call('ZCARD', active_key(queue))
if redis.call('SISMEMBER', PAUSED, 'queue:' .. queue) == 1 then return {running, 0, 0} end

-- Jobs of a line that may start, as far as its tenant has free slots.
local function startable(tenant)
  local jobs = redis.call('ZCARD', line_key(queue, tenant))
  local limits = limits_of(tenant)
  if not limits then return jobs end
  if limits[T_PAUSED] == 1 then return 0 end
  local free = limits[T_CONCURRENCY] - tonumber(redis.call('HGET', RUNNING, tenant) or 0)
  return math.max(0, math.min(jobs, free))
end

local ready = redis.call('ZCARD', suspects_key(queue))
for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do ready = ready + startable(tenant) end
return {running, ready, redis.call('ZCOUNT', scheduled_key(queue), '-inf', now + ARGV[2])}
