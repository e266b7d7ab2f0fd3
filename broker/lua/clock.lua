-- The fleet's clock: Redis TIME in milliseconds that never runs back.
-- FLEET fields: last = newest time seen; behind = TIME when it was first seen to lag behind last;
-- grace = until when no worker is declared lost; lease = lease in ms; recorder = 1 once a recorder
-- was here; events = events in the journal.
-- A TIME that jumped ahead and was corrected is followed one lease later; any gap longer than a
-- heartbeat (7/15 of a lease: nobody could renew) and any such correction start a grace of one lease.
if redis.replicate_commands then redis.replicate_commands() end
-- A script that has written is no longer refused for lack of memory: fetch, settle and heartbeat
-- must pass a full server, so each begins with a deletion (of nothing). Enqueue does not.
local function pass_full_memory() redis.call('DEL', ns .. ':nothing') end

local fleet = redis.call('HMGET', FLEET, 'last', 'behind', 'grace', 'lease', 'recorder', 'events')
local lease_ms = tonumber(fleet[4] or 15000)
local grace_until = tonumber(fleet[3] or 0)
local has_recorder = fleet[5] == '1'
local journal_events = tonumber(fleet[6] or 0)

local function read_clock()
  local time = redis.call('TIME')
  local real = time[1] * 1000 + math.floor(time[2] / 1000)
  local last, behind = tonumber(fleet[1] or 0), tonumber(fleet[2] or 0)
  local now, jumped = real, false
  if real < last then
    if behind == 0 or real < behind then
      behind = real
      redis.call('HSET', FLEET, 'behind', behind)
    end
    if real - behind >= lease_ms then jumped = true else now = last end
  end
  if now == real and behind > 0 then redis.call('HDEL', FLEET, 'behind') end
  if jumped or (last > 0 and now - last > lease_ms * 7 / 15) then
    grace_until = now + lease_ms
    redis.call('HSET', FLEET, 'grace', grace_until)
  end
  if now ~= last then redis.call('HSET', FLEET, 'last', now) end
  return now
end
