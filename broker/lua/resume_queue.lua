-- Let a paused queue go on.
--
-- include: keys pass_full_memory core resumed commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua: a repeat does not resume a queue that was paused again since
-- ARGV[2]  queue
-- Returns 1, or 0 when it was not paused.
local now = read_clock()

return answer_once(ARGV[1], function()
  local was_paused = redis.call('SREM', PAUSED, 'queue:' .. ARGV[2])
  if was_paused == 1 then note_resumed('queue:' .. ARGV[2]) end
  return was_paused
end)
