-- Send dead letters again: same id, new budget of attempts, at the end of the tenant's line.
--
-- include: keys record fleet metrics journal waiting lines commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {item, ...}; item = {id, queue, tenant, actor, priority, attempts, created ms, key}
--          as the dead letter says, used when Redis no longer holds it
-- ARGV[1 + i]  the message to run, its retry count reset
-- Returns one number per item: 1 replayed, 0 not dead (a repeat, or somebody was faster).
local now = read_clock()
local epoch = math.floor(now / 30000)
local function ended(id)
  for back = 0, 2 do
    if redis.call('SISMEMBER', ended_key(epoch - back), id) == 1 then return true end
  end
end

local outcomes = {}
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
  local id, queue, tenant, actor, priority, attempts, created, key = unpack(item)
  local here = redis.call('ZREM', dead_key(queue), id) == 1
  if here or (redis.call('HEXISTS', JOBS, id) == 0 and not ended(id)) then
    local record = {FORMAT, queue, tenant, actor, priority, attempts, created, 0, key, ARGV[1 + i], now}
    redis.call('HSET', JOBS, id, cmsgpack.pack(record))
    redis.call('ZREM', stored_key(queue), id)
    redis.call('HDEL', FAILURES, id)
    join_line(queue, tenant, id, place(priority, next_place()), now)
    event('replayed', id, tenant, queue, actor, attempts, '', {message = ARGV[1 + i]})
    count('dead_replayed\t' .. queue)
    if not here then count('dead_returned\t' .. queue) end
    outcomes[i] = 1
  else
    outcomes[i] = 0
  end
end
commit()
return outcomes
