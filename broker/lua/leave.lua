-- A worker process leaves: whatever it still holds goes back to the front of its lines.
--
-- include: keys pass_full_memory core idempotency suspects charges dead losses waits commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  worker
-- Returns 1.
local now = read_clock()
give_back_all(ARGV[1], 'released', 'worker left')
write_adjustments()
fill_lines()
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  if waits(queue) then touched[queue] = true end
end
remember(ARGV[1], 1)  -- its registration may still be on its way
commit()
return 1
