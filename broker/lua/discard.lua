-- Give up dead letters for good; their ids are remembered as those of other ended jobs are.
--
-- include: keys pass_full_memory record fleet metrics journal waiting lines commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {item, ...}; item = {id, queue, tenant, actor, attempts, archived};
--          archived = 1 when PostgreSQL alone holds it and gave it up
-- ARGV[2]  why, for the journal
-- Returns one number per item: 1 discarded, 0 not dead here.
local now = read_clock()
local outcomes = {}
for i, item in ipairs(cmsgpack.unpack(ARGV[1])) do
  local id, queue, tenant, actor, attempts, archived = unpack(item)
  outcomes[i] = redis.call('ZREM', dead_key(queue), id)
  if outcomes[i] == 1 then
    redis.call('ZREM', stored_key(queue), id)
    redis.call('HDEL', FAILURES, id)
    redis.call('HDEL', JOBS, id)
    local key = ended_key(math.floor(now / 30000))
    redis.call('SADD', key, id)
    redis.call('EXPIRE', key, 150)
    event('discarded', id, tenant, queue, actor, attempts, '', {reason = ARGV[2]})
    count('dead_discarded\t' .. queue)
  elseif archived == 1 and redis.call('HEXISTS', JOBS, id) == 0 then
    event('discarded', id, tenant, queue, actor, attempts, '', {reason = ARGV[2]})
    count('dead_discarded\t' .. queue)
    count('dead_returned\t' .. queue)
    outcomes[i] = 1
  end
end
commit()
return outcomes
