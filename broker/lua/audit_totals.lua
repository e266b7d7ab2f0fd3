-- Check sums: what was accepted is over or still here, for each queue and at one moment.
--
-- include: keys record
--
-- KEYS[1]  namespace in braces
-- Returns {kind, name, text, ...} flat, empty when all is well.
local findings = {}
local function found(kind, name, text)
  findings[#findings + 1] = kind
  findings[#findings + 1] = name
  findings[#findings + 1] = text
end

local sums = {}
local function add(queue, n) sums[queue] = (sums[queue] or 0) + n end
local OVER = {completed = true, skipped = true, cancelled = true}
local metrics = redis.call('HGETALL', METRICS)
for i = 1, #metrics, 2 do
  local name, queue, rest = string.match(metrics[i], '^([^\t]+)\t([^\t]+)\t?(.*)$')
  local n = tonumber(metrics[i + 1])
  if name == 'jobs_enqueued' or name == 'dead_returned' then add(queue, n) end
  if name == 'dead_archived' or name == 'dead_discarded' then add(queue, -n) end
  if name == 'jobs_processed' and OVER[string.match(rest, '[^\t]+$')] then add(queue, -n) end
end

-- The counts of waiting jobs, by second and in all.
local function check_waiting(queue, waiting)
  local told, by_second = 0, 0
  local counts = redis.call('HGETALL', waiting_key(queue))
  for i = 1, #counts, 2 do
    if counts[i] == 'n' then told = tonumber(counts[i + 1]) else by_second = by_second + counts[i + 1] end
  end
  if told ~= waiting or by_second ~= waiting then
    found('waiting', queue, waiting .. ' jobs wait, ' .. told .. ' are counted, ' .. by_second .. ' by second')
  end
end

-- Queues that tenants without a free slot have left, by queue.
local parked = {}
local parked_lists = redis.call('HGETALL', PARKED)
for i = 1, #parked_lists, 2 do
  for _, queue in ipairs(cmsgpack.unpack(parked_lists[i + 1])) do
    parked[queue] = parked[queue] or {}
    parked[queue][#parked[queue] + 1] = parked_lists[i]
  end
end

local function parked_jobs(queue)
  local jobs = 0
  for _, tenant in ipairs(parked[queue] or {}) do jobs = jobs + redis.call('ZCARD', line_key(queue, tenant)) end
  local told = tonumber(redis.call('HGET', PARKED_JOBS, queue) or 0)
  if told ~= jobs then found('parked', queue, jobs .. ' jobs of parked tenants wait, ' .. told .. ' are counted') end
  return jobs
end

local records = 0
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  local waiting = redis.call('ZCARD', suspects_key(queue)) + redis.call('ZCARD', halted_key(queue)) + parked_jobs(queue)
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do
    waiting = waiting + redis.call('ZCARD', line_key(queue, tenant))
  end
  check_waiting(queue, waiting)
  local here = waiting + redis.call('ZCARD', scheduled_key(queue)) + tonumber(redis.call('HGET', HELD, queue) or 0)
    + redis.call('ZCARD', active_key(queue)) + redis.call('ZCARD', dead_key(queue))
  records = records + here
  if here ~= (sums[queue] or 0) then
    found('conservation', queue, 'counters say that ' .. (sums[queue] or 0) .. ' jobs are not over, ' .. here .. ' are here')
  end
end
local stored = redis.call('HLEN', JOBS)
if stored ~= records then found('records', 'jobs', stored .. ' records for ' .. records .. ' jobs') end

local held, told_held = 0, 0
for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do held = held + redis.call('ZCARD', held_key(tenant)) end
for _, n in ipairs(redis.call('HVALS', HELD)) do told_held = told_held + n end
if held ~= told_held then found('held', 'jobs', held .. ' jobs are held, ' .. told_held .. ' are counted') end

-- A slot is a lease.
local leased, active, slots = 0, 0, {}
for _, worker in ipairs(redis.call('ZRANGE', WORKERS, 0, -1)) do
  for _, packed in ipairs(redis.call('HVALS', leases_key(worker))) do
    local tenant = cmsgpack.unpack(packed)[L_TENANT]
    leased = leased + 1
    if tenant ~= SYSTEM then slots[tenant] = (slots[tenant] or 0) + 1 end
  end
end
local told = redis.call('HGETALL', RUNNING)
for i = 1, #told, 2 do
  local tenant, n = told[i], tonumber(told[i + 1])
  if not string.find(tenant, ':') and n ~= (slots[tenant] or 0) then
    found('slots', tenant, 'holds ' .. (slots[tenant] or 0) .. ' leases, ' .. n .. ' are counted')
  end
  slots[tenant] = nil
end
for tenant, n in pairs(slots) do found('slots', tenant, 'holds ' .. n .. ' leases, none is counted') end
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do active = active + redis.call('ZCARD', active_key(queue)) end
if leased ~= active then found('leases', 'workers', leased .. ' leases for ' .. active .. ' active jobs') end
return findings
