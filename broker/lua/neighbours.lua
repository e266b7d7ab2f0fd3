-- The registered workers of one machine.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the machine
-- Returns their names.
local workers = {}
for _, worker in ipairs(redis.call('SMEMBERS', host_key(ARGV[1]))) do
  if redis.call('ZSCORE', WORKERS, worker) then
    workers[#workers + 1] = worker
  else
    redis.call('SREM', host_key(ARGV[1]), worker)
  end
end
return workers
