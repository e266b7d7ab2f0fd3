-- Check some tenants, at one moment: what is kept as the count of their unfinished jobs is what it counts, and who
-- is parked has no free slot and no turn.
--
-- include: keys record fleet limits readable parking tallies findings
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed list of tenants
-- Returns {kind, name, text, ...} flat, empty when all is well.
local now = read_clock()

-- Jobs that a parked tenant could run, 0 where its slots are no number.
local function could_run(tenant)
  local told = redis.call('HGET', RUNNING, tenant)
  if told and not tonumber(told) then return 0 end
  return free_slots(tenant) or math.huge
end

local function check_parked(tenant, packed)
  local free = could_run(tenant)
  if free > 0 then found('parked', tenant, 'is parked with ' .. (free < math.huge and free or 'any number of') .. ' free slots') end
  local queues = readable(packed)
  if not queues then found('parked', tenant, 'is parked in queues that cannot be read') end
  for _, queue in ipairs(queues or {}) do
    if redis.call('ZSCORE', ring_key(queue), tenant) then
      found('parked', tenant, 'is parked and has a turn in ' .. queue .. ' as well')
    end
  end
end

local tenants = cmsgpack.unpack(ARGV[1])
for _, tenant in ipairs(tenants) do
  local packed = redis.call('HGET', PARKED, tenant)
  if packed then check_parked(tenant, packed) end
end

local queues = redis.call('SMEMBERS', QUEUES)
local apart = jobs_apart(queues, SLICE_MOST)
local function check_backlog(tenant)
  local n = (apart[tenant] or 0) + redis.call('ZCARD', held_key(tenant))
  for _, queue in ipairs(queues) do n = n + redis.call('ZCARD', line_key(queue, tenant)) end
  local told = redis.call('HGET', BACKLOG, tenant) or 0
  told = tonumber(told) or told
  if n ~= told then found('backlog', tenant, 'has ' .. n .. ' unfinished jobs, ' .. told .. ' are counted') end
end
if apart then
  -- Also who has only jobs that stand in no line, and no count: nothing else would lead to them.
  for tenant in pairs(apart) do
    if redis.call('HEXISTS', BACKLOG, tenant) == 0 then tenants[#tenants + 1] = tenant end
  end
  for _, tenant in ipairs(tenants) do
    if tenant ~= SYSTEM then check_backlog(tenant) end
  end
else
  found('unseen', 'backlogs', 'of tenants, as more than ' .. SLICE_MOST .. ' jobs are scheduled, run or stand aside')
end
return findings
