-- The fleet's state, read once and written once by each script, and its clock.
-- FLEET fields: last = newest time seen; behind = TIME when it was first seen to lag behind last, or 0;
-- grace = until when no worker is declared lost; lease = lease in ms; recorder = 1 once a recorder
-- was here; events = events in the journal; sequence = order of arrival; full = until when sends are
-- refused for want of memory (see memory); unrecorded = events ever written without a recorder;
-- ended = the half minute in which a job ended last (see ended).
--
-- The clock is Redis TIME in milliseconds that never runs back. A TIME that jumped ahead and was
-- corrected is followed one lease later; such a correction and any gap longer than a heartbeat
-- (7/15 of a lease: nobody could renew) start a grace of one lease.
if redis.replicate_commands then redis.replicate_commands() end
local state = redis.call('HMGET', FLEET, 'last', 'behind', 'grace', 'lease', 'recorder', 'events', 'sequence',
  'full', 'unrecorded', 'ended')
local grace_until = tonumber(state[3] or 0)
local lease_ms = tonumber(state[4] or 15000)
local has_recorder = state[5] == '1'
local journal_events = tonumber(state[6] or 0)
local sequence = tonumber(state[7] or 0)
local full_until = tonumber(state[8] or 0)
local unrecorded_events = tonumber(state[9] or 0)
local ended_epoch = tonumber(state[10] or 0)
local changed = {}  -- fields and values, flat

local function set_state(field, value)
  changed[#changed + 1] = field
  changed[#changed + 1] = value
end

local function read_clock()
  local time = redis.call('TIME')
  local real = time[1] * 1000 + math.floor(time[2] / 1000)
  local last, behind = tonumber(state[1] or 0), tonumber(state[2] or 0)
  local now, jumped = real, false
  if real < last then
    if behind == 0 or real < behind then
      behind = real
      set_state('behind', behind)
    end
    if real - behind >= lease_ms then jumped = true else now = last end
  end
  if now == real and behind > 0 then set_state('behind', 0) end
  if jumped or (last > 0 and now - last > lease_ms * 7 / 15) then
    grace_until = now + lease_ms
    set_state('grace', grace_until)
  end
  if now ~= last then set_state('last', now) end
  return now
end

-- The next place in the order of arrival.
local function next_place()
  sequence = sequence + 1
  return sequence
end
