-- The rate of a tenant: never more than N jobs admitted in any 60 s. The times of the last N
-- admissions are kept, because approximations (buckets, GCRA) admit more in some window.
--
-- What was promised (bulk sends, schedules) is held instead of refused, in the order in which it came,
-- and the tenant's gate opens at the next free moment. Nothing is booked ahead: a cancel leaves its
-- moment to the next one, and a new plan only moves the gate.
local MINUTE_MS = 60000

local admitted = {}    -- tenant -> {jobs admitted by this script, rate}; their times are written at its end
local times_kept = {}  -- tenant -> how many times there are

-- The clock ran ahead and was corrected: what it said then happened now at the latest.
local function correct_times(times)
  for i, at in ipairs(redis.call('LRANGE', times, 0, -1)) do
    if tonumber(at) > now then redis.call('LSET', times, i - 1, now) end
  end
end

-- When one more job may be admitted behind `ahead` held ones: now, or later. Whole milliseconds are rounded down, so
-- two times that differ by 60,000 may be less than a minute apart.
local function free_moment(tenant, rate, ahead)
  local times, new = times_key(tenant), admitted[tenant] and admitted[tenant][1] or 0
  -- Each N jobs that go before it cost it a minute; what is left of them is found among the times that are kept.
  local before = new + ahead
  local minutes, at = math.floor(before / rate), before % rate
  local moment = now
  times_kept[tenant] = times_kept[tenant] or redis.call('LLEN', times)
  if at >= new and times_kept[tenant] + at >= rate then
    local nth = tonumber(redis.call('LINDEX', times, at - rate))
    if nth > now then
      correct_times(times)
      nth = now
    end
    moment = math.max(now, nth + MINUTE_MS + 1)
  end
  return moment + minutes * (MINUTE_MS + 1)
end

local function note_admission(tenant, rate)
  local known = admitted[tenant]
  if known then known[1] = known[1] + 1 else admitted[tenant] = {1, rate} end
end

local function write_times()
  for tenant, known in pairs(admitted) do
    local times, rows = times_key(tenant), {}
    for i = 1, known[1] do rows[i] = now end
    if redis.call('RPUSH', times, unpack(rows)) > 2 * known[2] then redis.call('LTRIM', times, -known[2], -1) end
    redis.call('PEXPIRE', times, MINUTE_MS + 1)
  end
end

local function set_gate(tenant, moment, queue)
  redis.call('ZADD', GATES, moment, tenant)
  -- The earliest one wakes a worker, which then knows when to look.
  if redis.call('ZRANGE', GATES, 0, 0)[1] == tenant then touched[queue] = true end
end

-- Hold a job until its tenant's rate lets it in, which is at that moment if nothing changes.
local function hold(queue, tenant, id, moment)
  redis.call('ZADD', held_key(tenant), next_place(), id)
  redis.call('HINCRBY', HELD, queue, 1)
  redis.call('SADD', QUEUES, queue)
  if not redis.call('ZSCORE', GATES, tenant) then set_gate(tenant, moment, queue) end
end

local function quit_held(queue, tenant, id)
  if redis.call('ZREM', held_key(tenant), id) == 0 then return end
  redis.call('HINCRBY', HELD, queue, -1)
  if redis.call('EXISTS', held_key(tenant)) == 0 then redis.call('ZREM', GATES, tenant) end
end
