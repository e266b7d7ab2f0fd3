-- Ids of jobs that have ended, remembered for 60 to 90 s, so that a repeat of their send is known as one.
-- They are in a set for each half minute; the fleet's state says which of these was the last, so that most
-- sends need not look: 3 of 45 microseconds.
local function ended_sets()
  local epoch = math.floor(now / 30000)
  if epoch - ended_epoch > 2 then return {} end
  return {ended_key(epoch), ended_key(epoch - 1), ended_key(epoch - 2)}
end

-- Whether a job ended lately: what PostgreSQL says of it may be older than that.
local function ended_lately(id)
  for _, set in ipairs(ended_sets()) do
    if redis.call('SISMEMBER', set, id) == 1 then return true end
  end
  return false
end

local function remember_ended(ids)
  local epoch = math.floor(now / 30000)
  redis.call('SADD', ended_key(epoch), unpack(ids))
  redis.call('EXPIRE', ended_key(epoch), 150)
  if epoch ~= ended_epoch then
    ended_epoch = epoch
    set_state('ended', epoch)
  end
end
