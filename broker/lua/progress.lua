-- What a run says of its progress stands in its lease, behind what record.lua names there: it goes
-- with the lease, however the run ends, and costs nothing where nothing is reported.
local L_FRACTION = 13  -- 0 to 1, nil while nothing was reported
local L_NOTE = 14      -- a short text or ''

local function keep_progress(worker, id, lease, fraction, note)
  -- Without holes: an array that has them is packed as a map.
  lease[L_KEY], lease[L_KEY_TTL] = lease[L_KEY] or '', lease[L_KEY_TTL] or 0
  lease[L_FRACTION], lease[L_NOTE] = fraction, note
  redis.call('HSET', leases_key(worker), id, cmsgpack.pack(lease))
end
