-- Take over the limits of plans and tenants; they hold for jobs that wait as for those to come.
--
-- include: keys pass_full_memory core rates gates commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {version, plans, tenants, gone}; a version older than the last one changes nothing;
--          plan = {name, concurrency, per minute, weight, backlog};
--          tenant = {id, plan, concurrency, per minute, weight, backlog, paused}; gone = ids that are 'free' again
-- Returns 1, or 0 when the version was too old.
local now = read_clock()
local version, plans, tenants, gone = unpack(cmsgpack.unpack(ARGV[1]))
if version < tonumber(redis.call('HGET', FLEET, 'limits') or 0) then return 0 end
set_state('limits', version)

-- A tenant that is parked or held looks again; where the new limits stop it as well, the next fetch parks it.
local function look_again(tenant)
  local packed = redis.call('HGET', PARKED, tenant)
  if packed then unpark(tenant, packed) end
  if redis.call('ZSCORE', GATES, tenant) then open_gate(tenant, 50) end
end

local free_changed = false
for _, plan in ipairs(plans) do
  local packed = cmsgpack.pack({plan[1], plan[2], plan[3], plan[4], plan[5], 0})
  if redis.call('HGET', PLANS, plan[1]) ~= packed then
    redis.call('HSET', PLANS, plan[1], packed)
    if plan[1] == 'free' then free_changed = true end
  end
end
local changed_tenants = {}
for _, row in ipairs(tenants) do
  local packed = cmsgpack.pack({row[2], row[3], row[4], row[5], row[6], row[7]})
  if redis.call('HGET', TENANTS, row[1]) ~= packed then
    redis.call('HSET', TENANTS, row[1], packed)
    changed_tenants[#changed_tenants + 1] = row[1]
  end
end
for _, tenant in ipairs(gone) do
  if redis.call('HDEL', TENANTS, tenant) == 1 then changed_tenants[#changed_tenants + 1] = tenant end
end
if free_changed then
  for _, tenant in ipairs(redis.call('HKEYS', PARKED)) do changed_tenants[#changed_tenants + 1] = tenant end
  for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do changed_tenants[#changed_tenants + 1] = tenant end
end
for _, tenant in ipairs(changed_tenants) do look_again(tenant) end
commit()
return 1
