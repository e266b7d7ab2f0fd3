-- One round of the fleet's upkeep, so that queues without workers still move.
--
-- include: keys pass_full_memory core memory rates gates idempotency promote resuming suspects charges dead losses waits commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  percent of maxmemory in use; left out if not known
-- Returns the number of queues in which jobs wait.
local now = read_clock()
local busy = 0
judge_memory(tonumber(ARGV[1]))
-- A lease that ends later than one lease from now was renewed while the clock ran ahead: now that it has
-- been corrected, nobody would miss a dead worker until then.
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, '(' .. now + lease_ms, '+inf')) do
  redis.call('ZADD', WORKERS, now + lease_ms, worker)
end
take_back()
open_gates()
write_adjustments()
resume_halted()
fill_lines()
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  promote(queue, 500)
  fill_lines()
  if waits(queue) then
    busy = busy + 1
    if redis.call('SISMEMBER', PAUSED, 'queue:' .. queue) == 0 then touched[queue] = true end
  end
end
commit()
return busy
