-- Count the events of the journal, which from now on is trimmed only behind its recorder.
local function note_recorder()
  local events = 0
  for _, entry in ipairs(redis.call('XRANGE', JOURNAL, '-', '+')) do
    -- An entry that cannot be read must not keep the recorder from starting.
    local readable, written = pcall(cmsgpack.unpack, entry[2][2])
    if readable and type(written) == 'table' then events = events + #written end
  end
  redis.call('HSET', FLEET, 'recorder', 1, 'events', events)
  redis.call('DEL', MARKS)  -- by which it was trimmed, see commit.lua
  return events
end
