-- Jobs that were accepted are over or still here, for each queue: both sides of that sum.
local OVER = {completed = true, skipped = true, cancelled = true}

-- Queue -> jobs that by the counters are not over; audit_corrections is what repairs have found to be wrong in them.
-- Also the counters that are no numbers: no script can count on.
local function jobs_counted()
  local sums_by_queue, broken = {}, {}
  local function sum(queue, n) sums_by_queue[queue] = (sums_by_queue[queue] or 0) + n end
  local metrics = redis.call('HGETALL', METRICS)
  for i = 1, #metrics, 2 do
    local name, queue, rest = string.match(metrics[i], '^([^\t]+)\t([^\t]+)\t?(.*)$')
    local n = tonumber(metrics[i + 1])
    if not n then
      broken[#broken + 1] = metrics[i]
      n = 0
    end
    if name == 'jobs_enqueued' or name == 'dead_returned' or name == 'audit_corrections' then sum(queue, n) end
    if name == 'dead_archived' or name == 'dead_discarded' then sum(queue, -n) end
    if name == 'jobs_processed' and OVER[string.match(rest, '[^\t]+$')] then sum(queue, -n) end
  end
  return sums_by_queue, broken
end

-- Queue -> tenants without a free slot that have left its ring; of one queue, if it is given.
local function parked_tenants(only)
  local parked, lists = {}, redis.call('HGETALL', PARKED)
  for i = 1, #lists, 2 do
    for _, queue in ipairs(readable(lists[i + 1]) or {}) do
      if (not only or queue == only) and not redis.call('ZSCORE', ring_key(queue), lists[i]) then
        parked[queue] = parked[queue] or {}
        table.insert(parked[queue], lists[i])
      end
    end
  end
  return parked
end

-- Waiting jobs of a queue: of all, and of those its parked tenants'.
local function jobs_waiting(queue, parked)
  local aside = 0
  for _, tenant in ipairs(parked or {}) do aside = aside + redis.call('ZCARD', line_key(queue, tenant)) end
  local all = redis.call('ZCARD', suspects_key(queue)) + redis.call('ZCARD', halted_key(queue)) + aside
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do
    all = all + redis.call('ZCARD', line_key(queue, tenant))
  end
  return all, aside
end

-- Jobs of a queue that are here, of which `waiting` wait.
local function jobs_here(queue, waiting)
  return waiting + redis.call('ZCARD', scheduled_key(queue)) + (tonumber(redis.call('HGET', HELD, queue) or 0) or 0)
    + redis.call('ZCARD', active_key(queue)) + redis.call('ZCARD', dead_key(queue))
end
