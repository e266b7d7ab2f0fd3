-- Take a waiting job out of its line, for a cancel or a purge.
local function quit_line(queue, tenant, id, since)
  local apart = redis.call('ZREM', suspects_key(queue), id) + redis.call('ZREM', halted_key(queue), id)
  if apart + redis.call('ZREM', line_key(queue, tenant), id) == 0 then return end
  count_waiting(queue, since, -1)
  if apart > 0 then return end
  if is_parked(queue, tenant) then
    redis.call('HINCRBY', PARKED_JOBS, queue, -1)
  elseif redis.call('EXISTS', line_key(queue, tenant)) == 0 then
    local tag = redis.call('ZSCORE', ring_key(queue), tenant)
    if tag then leave_ring(queue, tenant, tag) end
  end
end
