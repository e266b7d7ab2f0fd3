-- Since when jobs of a queue wait for the fleet: not for their tenant's own limit, and not for who had paused their
-- queue or actor. Looked at are the tenants whose turn comes next, and those that are known to wait long: a tenant's
-- old job is still there when others have their turn before it.
--
-- Tenants that are looked at in turn, of those that have free slots; those of whom they are looked for, and how many of
-- these are asked for at once after the first. (With 1,000 a scrape beside 10,000 paused tenants took 70 ms of Redis.)
local TURNS_LOOKED_AT = 20
local TURNS_PASSED, TURNS_AT_ONCE = 256, 236
-- Tenants that are told to be known next time.
local KNOWN_MOST = 5

-- Tenant -> since when its jobs wait for the fleet and not for its own limit, ms; false where it has no free slot.
local free_since = {}

local function look_at_slots(tenants)
  local fresh, fields = {}, {}
  for _, tenant in ipairs(tenants) do
    if free_since[tenant] == nil then
      fresh[#fresh + 1] = tenant
      fields[#fields + 1] = tenant
      fields[#fields + 1] = tenant .. ':back'
    end
  end
  if #fresh == 0 then return end
  read_limits(fresh)
  local found = redis.call('HMGET', RUNNING, unpack(fields))
  for i, tenant in ipairs(fresh) do
    local limits = limits_of(tenant)
    if not limits then
      free_since[tenant] = 0
    else
      local free = limits[T_PAUSED] ~= 1 and tonumber(found[2 * i - 1] or 0) < limits[T_CONCURRENCY]
      free_since[tenant] = free and tonumber(found[2 * i] or 0)
    end
  end
end

-- Tenants with free slots, and whether nobody was passed over for good.
local function free_tenants(queue, known)
  local chosen, are_chosen, found = {}, {}, 0
  local function choose(tenant)
    if free_since[tenant] and not are_chosen[tenant] then
      chosen[#chosen + 1], are_chosen[tenant] = tenant, true
    end
  end
  look_at_slots(known)
  for _, tenant in ipairs(known) do choose(tenant) end
  local from, many = 0, TURNS_LOOKED_AT
  while from < TURNS_PASSED do
    local some = redis.call('ZRANGE', ring_key(queue), from, from + many - 1)
    look_at_slots(some)
    for _, tenant in ipairs(some) do
      choose(tenant)
      if free_since[tenant] then found = found + 1 end
      if found == TURNS_LOOKED_AT then return chosen, true end
    end
    if #some < many then return chosen, true end
    from, many = from + many, TURNS_AT_ONCE
  end
  return chosen, false
end

-- The first job of a queue's suspects: who has lost two workers waits for one of its own.
local function first_suspect(queue, ids, owners)
  local id = redis.call('ZRANGE', suspects_key(queue), 0, 0)[1]
  local packed = id and redis.call('HGET', JOBS, id)
  if not packed then return end
  local tenant = cmsgpack.unpack(packed)[R_TENANT]
  look_at_slots({tenant})
  if free_since[tenant] then ids[#ids + 1], owners[#owners + 1] = id, tenant end
end

-- {since, tenant} of each that waits, the longest first.
local function waits_of(queue, tenants)
  local ids, owners = {}, {}
  first_suspect(queue, ids, owners)
  for _, tenant in ipairs(tenants) do
    heads_of_line(line_key(queue, tenant), ids)
    while #owners < #ids do owners[#owners + 1] = tenant end
  end
  local oldest, waits = {}, {}
  for i, packed in ipairs(#ids > 0 and redis.call('HMGET', JOBS, unpack(ids)) or {}) do
    local record, tenant = packed and cmsgpack.unpack(packed), owners[i]
    if record then
      local since = math.max(free_since[tenant], record[R_SINCE], resumed_since(record[R_QUEUE], record[R_ACTOR]))
      oldest[tenant] = math.min(oldest[tenant] or since, since)
    end
  end
  for tenant, since in pairs(oldest) do waits[#waits + 1] = {since, tenant} end
  table.sort(waits, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  return waits
end

-- The start of the second since which the oldest job of all tenants waits; 0 when there is none.
local function oldest_second(queue)
  local second = tonumber(redis.call('ZRANGE', oldest_key(queue), 0, 0)[1] or 0)
  return second > 0 and math.max(second * 1000, resumed_since(queue, '')) or 0
end

-- Returns since when the oldest job waits, ms, 0 where none does, and the tenants that wait longest. Where so many
-- have no free slot that one who has was not found, it is the oldest job of them all: too long is told, not nothing.
local function oldest_wait(queue, known)
  if not has_plans() then return oldest_second(queue), {} end
  local tenants, all = free_tenants(queue, known)
  local waits, longest = waits_of(queue, tenants), {}
  if #waits == 0 then return all and 0 or oldest_second(queue), {} end
  for i = 1, math.min(#waits, KNOWN_MOST) do longest[i] = waits[i][2] end
  return waits[1][1] < now and waits[1][1] or 0, longest
end
