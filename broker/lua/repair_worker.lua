-- Give back what a worker holds that is not registered: nobody would ever miss it.
--
-- include: keys pass_full_memory core idempotency suspects charges dead losses readable commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  worker
-- Returns the number of leases that ended; -1 when it is registered.
local now = read_clock()

-- Nothing is known of a run whose lease cannot be read; its job is found to stand nowhere.
local function drop_unreadable(worker)
  local held = redis.call('HGETALL', leases_key(worker))
  for i = 1, #held, 2 do
    if not readable(held[i + 1]) then redis.call('HDEL', leases_key(worker), held[i]) end
  end
  return #held / 2
end

return answer_once(ARGV[1], function()
  if redis.call('ZSCORE', WORKERS, ARGV[2]) then return -1 end
  local held = drop_unreadable(ARGV[2])
  give_back_all(ARGV[2], 'lost', 'its worker was not registered')
  write_adjustments()
  return held
end)
