-- Give up dead letters for good; their ids are remembered as those of other ended jobs are.
--
-- include: keys pass_full_memory core idempotency commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  packed {item, ...}; item = {id, died at ms, queue, tenant, actor, attempts, key, archived};
--          archived = 1 when PostgreSQL gave it up and Redis was not seen to hold it: it does not know yet what
--          the recorder has not read, such as that it was discarded here a moment ago
-- ARGV[3]  why, for the journal
-- Returns one number per item: 1 discarded, 0 not dead here, or not that death.
local now = read_clock()

local function forget(id, queue)
  redis.call('ZREM', dead_key(queue), id)
  redis.call('ZREM', stored_key(queue), id)
  redis.call('HDEL', FAILURES, id)
  redis.call('HDEL', JOBS, id)
  remember_ended({id})
end

local function discard(item)
  local id, died, queue, tenant, actor, attempts, key, archived = unpack(item)
  if tonumber(redis.call('ZSCORE', dead_key(queue), id) or 0) == died then
    forget(id, queue)
  elseif archived == 1 and redis.call('HEXISTS', JOBS, id) == 0 and not ended_lately(id) then
    count('dead_returned\t' .. queue)
  else
    return 0
  end
  free_key(tenant, actor, key, id)
  event('discarded', id, tenant, queue, actor, attempts, '', {reason = ARGV[3]})
  count('dead_discarded\t' .. queue)
  return 1
end

return answer_once(ARGV[1], function()
  local outcomes = {}
  for i, item in ipairs(cmsgpack.unpack(ARGV[2])) do outcomes[i] = discard(item) end
  return outcomes
end)
