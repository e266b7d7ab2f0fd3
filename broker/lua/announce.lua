-- A recorder is here: from now on the journal is trimmed only behind it.
--
-- include: keys pass_full_memory recorder_here
--
-- KEYS[1]  namespace in braces
-- Returns the number of events in the journal.
if redis.call('HGET', FLEET, 'recorder') == '1' then return tonumber(redis.call('HGET', FLEET, 'events') or 0) end
return note_recorder()
