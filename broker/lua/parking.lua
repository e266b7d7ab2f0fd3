-- Slots and parking: a tenant whose slots are all taken leaves the ring of every queue where its turn
-- comes, so it costs no fetch anything; the settle that frees a slot brings it back. A slot is a
-- lease, so their number can be counted anew and none can leak.
local taken = {}  -- tenant -> slots taken less slots freed by this script

local function take_slots(tenant, n)
  if tenant ~= SYSTEM then taken[tenant] = (taken[tenant] or 0) + n end
end

-- When a tenant came back from being parked: until then it was its own limit that made its jobs wait.
local back_since = {}
local running_before = {}  -- tenant -> its slots that were taken before this script

local function note_running(tenant, running, back)
  running_before[tenant], back_since[tenant] = tonumber(running or 0), tonumber(back)
end

-- Read at once which slots of several tenants are taken.
local function read_slots(tenants)
  if #tenants < 2 or not has_plans() then return end
  local names = {}
  for _, tenant in ipairs(tenants) do
    names[#names + 1] = tenant
    names[#names + 1] = tenant .. ':back'
  end
  local running = redis.call('HMGET', RUNNING, unpack(names))
  for i, tenant in ipairs(tenants) do note_running(tenant, running[2 * i - 1], running[2 * i]) end
end

-- Jobs of a tenant that may start now, or nil when it has no limits.
local function free_slots(tenant)
  local limits = limits_of(tenant)
  if not limits then return nil end
  if not running_before[tenant] then
    note_running(tenant, unpack(redis.call('HMGET', RUNNING, tenant, tenant .. ':back')))
  end
  if limits[T_PAUSED] == 1 then return 0 end
  return limits[T_CONCURRENCY] - running_before[tenant] - (taken[tenant] or 0)
end

local function park(queue, tenant)
  local packed = redis.call('HGET', PARKED, tenant)
  local queues = packed and cmsgpack.unpack(packed) or {}
  for _, name in ipairs(queues) do
    if name == queue then return end
  end
  local tag = redis.call('ZSCORE', ring_key(queue), tenant)
  if tag then leave_ring(queue, tenant, tag) end
  queues[#queues + 1] = queue
  redis.call('HSET', PARKED, tenant, cmsgpack.pack(queues))
  redis.call('HINCRBY', PARKED_JOBS, queue, redis.call('ZCARD', line_key(queue, tenant)))
end

-- Back into the rings; a worker must look also where only a suspect waited for the slot.
local function unpark(tenant, packed)
  redis.call('HDEL', PARKED, tenant)
  redis.call('HSET', RUNNING, tenant .. ':back', now)
  for _, queue in ipairs(cmsgpack.unpack(packed)) do
    local jobs = redis.call('ZCARD', line_key(queue, tenant))
    -- What waited there may be cancelled by now; and Lua writes -0 as no number that Redis takes.
    if jobs > 0 then
      redis.call('HINCRBY', PARKED_JOBS, queue, -jobs)
      if not redis.call('ZSCORE', ring_key(queue), tenant) then enter_ring(queue, tenant, 0) end
    end
    touched[queue] = true
  end
end

local function write_slots()
  local freed = {}
  for tenant, n in pairs(taken) do
    if n ~= 0 and redis.call('HINCRBY', RUNNING, tenant, n) <= 0 then redis.call('HDEL', RUNNING, tenant) end
    if n < 0 then freed[#freed + 1] = tenant end
  end
  taken = {}
  if #freed == 0 or redis.call('EXISTS', PARKED) == 0 then return end
  for i, packed in ipairs(redis.call('HMGET', PARKED, unpack(freed))) do
    if packed then unpark(freed[i], packed) end
  end
end
