-- Service in worker time: what a tenant is charged is milliseconds of a worker thread, divided by
-- its weight. A start is charged the actor's recent mean, the settle corrects it to what it was, so
-- a tenant of long jobs gets no larger share than one of short jobs.
local LEAST_CHARGE = 1

local adjustments = {}  -- queue -> tenant -> ms to add to what it was charged

local function adjust(queue, tenant, ms)
  if ms == 0 then return end
  local tenants = adjustments[queue] or {}
  adjustments[queue] = tenants
  tenants[tenant] = (tenants[tenant] or 0) + ms
end

local function write_adjustment(queue, tenant, ms)
  local delta = ms / weight_of(tenant)
  -- XX with INCR: nothing is answered, and nothing changed, where the tenant is not.
  if redis.call('ZADD', ring_key(queue), 'XX', 'INCR', delta, tenant) then return end
  if redis.call('ZADD', tags_key(queue), 'XX', 'INCR', delta, tenant) then return end
  if delta > 0 then
    redis.call('ZADD', tags_key(queue), tonumber(redis.call('HGET', VTIME, queue) or 0) + delta, tenant)
  end
end

-- To be done before lines are filled: a tenant that comes back comes back with its corrected tag.
local function write_adjustments()
  for queue, tenants in pairs(adjustments) do
    local names = {}
    for tenant in pairs(tenants) do names[#names + 1] = tenant end
    read_limits(names)
    for tenant, ms in pairs(tenants) do
      if ms ~= 0 then write_adjustment(queue, tenant, ms) end
    end
  end
  adjustments = {}
end

-- A run that did not happen costs nothing.
local function charge_back(lease) adjust(lease[L_QUEUE], lease[L_TENANT], -lease[L_CHARGE]) end
