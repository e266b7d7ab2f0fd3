-- A recorder is here: from now on the journal is trimmed only behind it.
--
-- include: keys pass_full_memory
--
-- KEYS[1]  namespace in braces
-- Returns the number of events in the journal.
if redis.call('HGET', FLEET, 'recorder') == '1' then return tonumber(redis.call('HGET', FLEET, 'events') or 0) end
local events = 0
for _, entry in ipairs(redis.call('XRANGE', JOURNAL, '-', '+')) do
  events = events + #cmsgpack.unpack(entry[2][2])
end
redis.call('HSET', FLEET, 'recorder', 1, 'events', events)
return events
