-- Cancel a job: one that waits is over at once, one that runs is marked and its worker is told by
-- the next heartbeat.
--
-- include: keys pass_full_memory core rates quit_line idempotency cancel_waiting commit answers
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
  local queue = record[R_QUEUE]
  if redis.call('ZSCORE', dead_key(queue), id) then return 'dead' end
  if redis.call('ZSCORE', active_key(queue), id) then
    redis.call('HSET', CANCELS, id, 1)
    return 'cancelling'
  end
  cancel_waiting(id, record)
  return 'cancelled'
end

return answer_once(ARGV[1], function() return cancel(ARGV[2]) end)
