-- What each tenant may do. Without plans nothing is limited; a tenant that is not named has the plan
-- 'free'; the system's own line has no limits.
local T_PLAN = 1         -- name of its plan
local T_CONCURRENCY = 2  -- jobs that may run at once, over all queues and workers
local T_RATE = 3         -- jobs admitted in any 60 s
local T_WEIGHT = 4       -- share in the fair order
local T_BACKLOG = 5      -- jobs that may be unfinished
local T_PAUSED = 6       -- 1 while none of its jobs may start
local known_limits = {}
local free_plan = nil

local function has_plans()
  if free_plan == nil then
    local packed = redis.call('HGET', PLANS, 'free')
    free_plan = packed and cmsgpack.unpack(packed) or false
  end
  return free_plan
end

-- Read the limits of several tenants at once: one command instead of one for each, of twenty that a job of ten
-- thousand tenants takes.
local function read_limits(tenants)
  if #tenants < 2 or not has_plans() then return end
  for i, packed in ipairs(redis.call('HMGET', TENANTS, unpack(tenants))) do
    known_limits[tenants[i]] = packed and cmsgpack.unpack(packed) or free_plan
  end
end

-- The limits of a tenant, or nil when it has none.
local function limits_of(tenant)
  if tenant == SYSTEM or not has_plans() then return nil end
  local limits = known_limits[tenant]
  if not limits then
    local packed = redis.call('HGET', TENANTS, tenant)
    limits = packed and cmsgpack.unpack(packed) or free_plan
    known_limits[tenant] = limits
  end
  return limits
end

local function weight_of(tenant)
  local limits = limits_of(tenant)
  return limits and limits[T_WEIGHT] or 1
end
