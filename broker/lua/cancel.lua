-- Cancel a job: one that waits is over at once, one that runs is marked and its worker is told by
-- the next heartbeat.
--
-- include: keys pass_full_memory record fleet metrics journal waiting lines leave_ring quit_line commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  job id
-- Returns 'cancelled', 'cancelling' (it runs), 'dead' or 'unknown'.
local now = read_clock()

local function cancel(id)
  local packed = redis.call('HGET', JOBS, id)
  if not packed then return 'unknown' end
  local record = cmsgpack.unpack(packed)
  local queue, tenant, actor = record[R_QUEUE], record[R_TENANT], record[R_ACTOR]
  if redis.call('ZSCORE', dead_key(queue), id) then return 'dead' end
  if redis.call('ZSCORE', active_key(queue), id) then
    redis.call('HSET', CANCELS, id, 1)
    return 'cancelling'
  end
  redis.call('ZREM', scheduled_key(queue), id)
  quit_line(queue, tenant, id, record[R_SINCE])
  redis.call('HDEL', JOBS, id)
  local key = ended_key(math.floor(now / 30000))
  redis.call('SADD', key, id)
  redis.call('EXPIRE', key, 150)
  count('jobs_processed\t' .. queue .. '\t' .. actor .. '\tcancelled')
  event('cancelled', id, tenant, queue, actor, record[R_ATTEMPTS], '', {started_ms = 0, wait_ms = 0, run_ms = 0, result = ''})
  return 'cancelled'
end

return answer_once(ARGV[1], function() return cancel(ARGV[2]) end)
