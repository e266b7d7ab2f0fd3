-- Let a paused actor go on. The jobs of it that were put aside go back into their lines by this run, as far as it
-- comes, and by the fleet's upkeep.
--
-- include: keys pass_full_memory core resuming resumed commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua: a repeat does not resume an actor that was paused again since
-- ARGV[2]  actor
-- Returns 1, or 0 when it was not paused.
local now = read_clock()

return answer_once(ARGV[1], function()
  local was_paused = redis.call('SREM', PAUSED, 'actor:' .. ARGV[2])
  if was_paused == 1 then note_resumed('actor:' .. ARGV[2]) end
  -- Also when it was not paused: whatever stands aside without a reason comes back.
  for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
    if redis.call('EXISTS', halted_key(queue)) == 1 then redis.call('HSET', RESUMING, queue, '-inf') end
  end
  resume_halted()
  return was_paused
end)
