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

local records = 0
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  local here = redis.call('ZCARD', waiting_key(queue)) + redis.call('ZCARD', scheduled_key(queue))
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
