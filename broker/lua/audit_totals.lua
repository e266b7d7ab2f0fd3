-- Check sums: what was accepted is over or still here, for each queue and at one moment.
--
-- include: keys
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

local records = 0
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  local waiting = redis.call('ZCARD', suspects_key(queue))
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do
    waiting = waiting + redis.call('ZCARD', line_key(queue, tenant))
  end
  check_waiting(queue, waiting)
  local here = waiting + redis.call('ZCARD', scheduled_key(queue))
    + redis.call('ZCARD', active_key(queue)) + redis.call('ZCARD', dead_key(queue))
  records = records + here
  if here ~= (sums[queue] or 0) then
    found('conservation', queue, 'counters say that ' .. (sums[queue] or 0) .. ' jobs are not over, ' .. here .. ' are here')
  end
end
local stored = redis.call('HLEN', JOBS)
if stored ~= records then found('records', 'jobs', stored .. ' records for ' .. records .. ' jobs') end

local leased = 0
local active = 0
for _, worker in ipairs(redis.call('ZRANGE', WORKERS, 0, -1)) do leased = leased + redis.call('HLEN', leases_key(worker)) end
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do active = active + redis.call('ZCARD', active_key(queue)) end
if leased ~= active then found('leases', 'workers', leased .. ' leases for ' .. active .. ' active jobs') end
return findings
