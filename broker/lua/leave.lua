-- A worker process leaves: whatever it still holds goes back to the front of its lines.
--
-- include: keys record clock metrics journal lines losses
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  worker
-- Returns 1.
pass_full_memory()
local now = read_clock()
give_back_all(ARGV[1], 'released', 'worker left')
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  if redis.call('EXISTS', ring_key(queue)) == 1 then touched[queue] = true end
end
write_journal()
write_metrics()
wake_touched()
return 1
