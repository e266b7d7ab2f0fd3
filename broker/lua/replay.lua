-- Send dead letters again: same id, new budget of attempts, at the end of the tenant's line.
--
-- include: keys core commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  packed {item, ...}; item = {id, died at ms, queue, tenant, actor, priority, attempts, created ms, key,
--          key's ttl ms}
--          as the dead letter says; what follows the moment is used when Redis no longer holds it
-- ARGV[2 + i]  the message to run, its retry count reset
-- Returns one number per item: 1 replayed, 0 not dead, or not that death (somebody was faster).
local now = read_clock()

local function replay(item, message)
  local id, died, queue, tenant, actor, priority, attempts, created, key, ttl = unpack(item)
  local here = tonumber(redis.call('ZSCORE', dead_key(queue), id) or 0) == died
  if not here and (redis.call('HEXISTS', JOBS, id) == 1 or ended_lately(id)) then return 0 end
  local record = {FORMAT, queue, tenant, actor, priority, attempts, created, 0, key, message, now, ttl}
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  redis.call('ZREM', dead_key(queue), id)
  redis.call('ZREM', stored_key(queue), id)
  redis.call('HDEL', FAILURES, id)
  owe(tenant, 1)
  join_line(queue, tenant, id, place(priority, next_place()), now)
  event('replayed', id, tenant, queue, actor, attempts, '', {message = message})
  count('dead_replayed\t' .. queue)
  if not here then count('dead_returned\t' .. queue) end
  return 1
end

return answer_once(ARGV[1], function()
  local outcomes = {}
  for i, item in ipairs(cmsgpack.unpack(ARGV[2])) do outcomes[i] = replay(item, ARGV[2 + i]) end
  return outcomes
end)
