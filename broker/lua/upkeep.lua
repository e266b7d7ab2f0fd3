-- One round of the fleet's upkeep, so that queues without workers still move.
--
-- include: keys pass_full_memory record fleet metrics journal lines promote suspects charges dead losses waits commit
--
-- KEYS[1]  namespace in braces
-- Returns the number of queues in which jobs wait.
local now = read_clock()
local busy = 0
take_back()
fill_lines()
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  promote(queue, 500)
  fill_lines()
  if waits(queue) then
    busy = busy + 1
    if redis.call('SISMEMBER', PAUSED, 'queue:' .. queue) == 0 then touched[queue] = true end
  end
end
write_adjustments()
commit()
return busy
