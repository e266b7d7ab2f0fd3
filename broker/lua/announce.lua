-- A recorder is here: from now on the journal is trimmed only behind it.
--
-- include: keys pass_full_memory
--
-- KEYS[1]  namespace in braces
-- Returns the number of events in the journal.
if redis.call('HGET', FLEET, 'recorder') == '1' then return tonumber(redis.call('HGET', FLEET, 'events') or 0) end
local events = 0
for _, entry in ipairs(redis.call('XRANGE', JOURNAL, '-', '+')) do
  -- An entry that cannot be read must not keep the recorder from starting.
  local readable, written = pcall(cmsgpack.unpack, entry[2][2])
  if readable and type(written) == 'table' then events = events + #written end
end
redis.call('HSET', FLEET, 'recorder', 1, 'events', events)
redis.call('DEL', MARKS)  -- by which it was trimmed, see commit.lua
return events
