-- One round of the fleet's upkeep, so that queues without workers still move.
--
-- include: keys pass_full_memory record fleet metrics journal lines promote losses commit
--
-- KEYS[1]  namespace in braces
-- Returns the number of queues in which jobs wait.
local now = read_clock()
local busy = 0
take_back()
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  promote(queue, 500)
  if redis.call('EXISTS', ring_key(queue)) == 1 then
    busy = busy + 1
    if redis.call('SISMEMBER', PAUSED, 'queue:' .. queue) == 0 then touched[queue] = true end
  end
end
commit()
return busy
