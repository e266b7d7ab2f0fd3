-- What a run says of its progress stands in its lease, behind what record.lua names there: it goes
-- with the lease, however the run ends, and costs nothing where nothing is reported.
local L_FRACTION = 11  -- 0 to 1, nil while nothing was reported
local L_NOTE = 12      -- a short text or ''

local function keep_progress(worker, id, lease, fraction, note)
  lease[L_FRACTION], lease[L_NOTE] = fraction, note
  redis.call('HSET', leases_key(worker), id, cmsgpack.pack(lease))
end
