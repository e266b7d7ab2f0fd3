-- Check the sums of a queue, at one moment: what was accepted is over or still here, and what is kept as a count of
-- its jobs is what it counts. Some 20 ms with ten thousand tenants in line.
--
-- include: keys record fleet readable conservation findings
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  queue
-- Returns {kind, name, text, ...} flat, empty when all is well.
local now = read_clock()

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

local queue = ARGV[1]
local waiting, of_parked = jobs_waiting(queue, parked_tenants(queue)[queue])
check_waiting(queue, waiting)
local here, expected = jobs_here(queue, waiting), jobs_counted()[queue] or 0
if here ~= expected then
  found('conservation', queue, 'counters say that ' .. expected .. ' jobs are not over, ' .. here .. ' are here')
end
local told = redis.call('HGET', PARKED_JOBS, queue) or 0
told = tonumber(told) or told
if told ~= of_parked then
  found('parked', queue, of_parked .. ' jobs of parked tenants wait, ' .. told .. ' are counted')
end
return findings
