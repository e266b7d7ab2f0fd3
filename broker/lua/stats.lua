-- Counts of queues, each O(1) or O(log n), read in one step so that they fit each other.
--
-- include: keys fleet
--
-- KEYS[1]  namespace in braces
-- ARGV     queues; none means every known one
-- Returns {now, {queue, waiting, active, scheduled, dead, oldest waiting since or '', paused, parked}, ...};
-- scheduled with those that a tenant's rate holds; parked = waiting jobs of tenants without a free slot..
local now = read_clock()
local queues = ARGV
-- Dead letters that have left for PostgreSQL and have not been replayed or discarded since.
local function archived(queue)
  local left, returned = unpack(redis.call('HMGET', METRICS, 'dead_archived\t' .. queue, 'dead_returned\t' .. queue))
  return math.max(0, (left or 0) - (returned or 0))
end
if #queues == 0 then queues = redis.call('SMEMBERS', QUEUES) end

-- The start of the second since which the oldest job waits, ms, or ''.
local function oldest_since(queue)
  local second = redis.call('ZRANGE', oldest_key(queue), 0, 0)[1]
  return second and second * 1000 or ''
end

local answer = {now}
for _, queue in ipairs(queues) do
  answer[#answer + 1] = {
    queue,
    tonumber(redis.call('HGET', waiting_key(queue), 'n') or 0),
    redis.call('ZCARD', active_key(queue)),
    redis.call('ZCARD', scheduled_key(queue)) + tonumber(redis.call('HGET', HELD, queue) or 0),
    redis.call('ZCARD', dead_key(queue)) + archived(queue),
    oldest_since(queue),
    redis.call('SISMEMBER', PAUSED, 'queue:' .. queue),
    tonumber(redis.call('HGET', PARKED_JOBS, queue) or 0),
  }
end
return answer
