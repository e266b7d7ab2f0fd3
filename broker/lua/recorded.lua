-- The recorder has stored the journal up to a position: trim it, and let the oldest dead letters
-- beyond the newest `keep` of their queue leave Redis, but only those that are stored.
--
-- include: keys pass_full_memory fleet recorder_here
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {position, events, keep, dead, left out}; position = id of the last stored entry;
--          events = number of events in the entries up to it; dead = {queue, job id, ...} flat;
--          left out = events and rows that the log could not take since it began, kept in PostgreSQL, shown from here
-- Returns the number of entries trimmed.
local position, stored_events, keep, dead, left_out = unpack(cmsgpack.unpack(ARGV[1]))
local dash = string.find(position, '-', 1, true)
local after = string.sub(position, 1, dash) .. string.format('%.0f', string.sub(position, dash + 1) + 1)
local trimmed = redis.call('XTRIM', JOURNAL, 'MINID', after)
if not has_recorder then
  note_recorder()  -- the fleet's state was lost: without it the journal would be trimmed by its length alone
elseif trimmed > 0 then
  redis.call('HINCRBY', FLEET, 'events', -stored_events)
end
if (left_out or 0) > tonumber(redis.call('HGET', METRICS, 'log_left_out') or 0) then
  redis.call('HSET', METRICS, 'log_left_out', left_out)
end

local queues = {}
for i = 1, #dead, 2 do
  local died = redis.call('ZSCORE', dead_key(dead[i]), dead[i + 1])
  if died then redis.call('ZADD', stored_key(dead[i]), died, dead[i + 1]) end
  queues[dead[i]] = true
end
for queue in pairs(queues) do
  local surplus = redis.call('ZCARD', dead_key(queue)) - keep
  if surplus > 0 then
    local oldest = redis.call('ZRANGE', stored_key(queue), 0, math.min(surplus, 1000) - 1)
    for _, id in ipairs(oldest) do
      redis.call('ZREM', stored_key(queue), id)
      redis.call('ZREM', dead_key(queue), id)
      redis.call('HDEL', FAILURES, id)
      redis.call('HDEL', JOBS, id)
      redis.call('HINCRBY', METRICS, 'dead_archived\t' .. queue, 1)
    end
  end
end
return trimmed
