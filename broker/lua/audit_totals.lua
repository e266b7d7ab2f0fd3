-- Check sums and counts, at one moment: what was accepted is over or still here, for each queue.
--
-- include: keys record fleet limits readable parking conservation tallies
--
-- KEYS[1]  namespace in braces
-- Returns {kind, name, text, ...} flat, empty when all is well.
local now = read_clock()
local findings = {}
local function found(kind, name, text)
  findings[#findings + 1] = kind
  findings[#findings + 1] = name
  findings[#findings + 1] = text
end

-- The counts of waiting jobs, by second and in all.
local function check_waiting(queue, waiting)
  local told, by_second, seconds = 0, 0, 0
  local counts = redis.call('HGETALL', waiting_key(queue))
  for i = 1, #counts, 2 do
    if counts[i] == 'n' then
      told = tonumber(counts[i + 1]) or 0
    else
      by_second = by_second + (tonumber(counts[i + 1]) or 0)
      seconds = seconds + 1
    end
  end
  if told ~= waiting or by_second ~= waiting then
    found('waiting', queue, waiting .. ' jobs wait, ' .. told .. ' are counted, ' .. by_second .. ' by second')
  elseif redis.call('ZCARD', oldest_key(queue)) ~= seconds then
    found('waiting', queue, 'not all seconds since which jobs wait are known in their order')
  end
end

local parked = parked_tenants()
local counted, broken = jobs_counted()
for _, field in ipairs(broken) do found('counter', (string.gsub(field, '\t', ' ')), 'is no number') end
local records, active, dead, aside = 0, 0, 0, {}
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  local waiting, of_parked = jobs_waiting(queue, parked[queue])
  if of_parked > 0 then aside[queue] = of_parked end
  check_waiting(queue, waiting)
  local here, expected = jobs_here(queue, waiting), counted[queue] or 0
  records = records + here
  active = active + redis.call('ZCARD', active_key(queue))
  dead = dead + redis.call('ZCARD', dead_key(queue))
  if here ~= expected then
    found('conservation', queue, 'counters say that ' .. expected .. ' jobs are not over, ' .. here .. ' are here')
  end
end
compare(PARKED_JOBS, aside, function(queue, n, told)
  found('parked', queue, n .. ' jobs of parked tenants wait, ' .. told .. ' are counted')
end)
local stored = redis.call('HLEN', JOBS)
if stored ~= records then found('records', 'jobs', stored .. ' records for ' .. records .. ' jobs') end

local reasons = redis.call('HLEN', FAILURES)
if reasons > dead then found('failure', 'jobs', reasons .. ' reasons for ' .. dead .. ' dead letters') end
for _, id in ipairs(redis.call('HKEYS', CANCELS)) do
  if not is_among(active_key, id) then found('cancel', id, 'is marked as cancelled and does not run') end
end

local held, told_held = 0, 0
for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do
  local n = redis.call('ZCARD', held_key(tenant))
  if n == 0 then found('gate', tenant, 'has a gate and nothing is held') end
  held = held + n
end
for _, n in ipairs(redis.call('HVALS', HELD)) do told_held = told_held + (tonumber(n) or 0) end
if held ~= told_held then found('held', 'jobs', held .. ' jobs are held, ' .. told_held .. ' are counted') end

local slots, leased = slots_leased()
compare(RUNNING, slots, function(tenant, n, told)
  found('slots', tenant, 'holds ' .. n .. ' leases, ' .. told .. ' are counted')
end)
if leased ~= active then found('leases', 'workers', leased .. ' leases for ' .. active .. ' active jobs') end

-- Jobs that a parked tenant could run, 0 where its slots are no number.
local function could_run(tenant)
  local told = redis.call('HGET', RUNNING, tenant)
  if told and not tonumber(told) then return 0 end
  return free_slots(tenant) or math.huge
end

local lists = redis.call('HGETALL', PARKED)
for i = 1, #lists, 2 do
  local free = could_run(lists[i])
  if free > 0 then found('parked', lists[i], 'is parked with ' .. (free < math.huge and free or 'any number of') .. ' free slots') end
  local queues = readable(lists[i + 1])
  if not queues then found('parked', lists[i], 'is parked in queues that cannot be read') end
  for _, queue in ipairs(queues or {}) do
    if redis.call('ZSCORE', ring_key(queue), lists[i]) then
      found('parked', lists[i], 'is parked and has a turn in ' .. queue .. ' as well')
    end
  end
end

local owed = backlogs(parked)
if owed then
  compare(BACKLOG, owed, function(tenant, n, told)
    found('backlog', tenant, 'has ' .. n .. ' unfinished jobs, ' .. told .. ' are counted')
  end)
end
local written = events_written()
if written and written ~= journal_events then
  found('journal', 'events', written .. ' events are in the journal, ' .. journal_events .. ' are counted')
end
return findings
