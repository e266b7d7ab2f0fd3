-- Check sums and counts over all queues, at one moment. What takes a look at every line is checked for each queue
-- and for some tenants at a time, by audit_queue and audit_tenants, leases by audit_slots; the count of waiting jobs is
-- taken as true here.
--
-- include: keys record fleet readable conservation tallies findings
--
-- KEYS[1]  namespace in braces
-- Returns {kind, name, text, ...} flat, empty when all is well.
local now = read_clock()
local _, broken = jobs_counted()
for _, field in ipairs(broken) do found('counter', (string.gsub(field, '\t', ' ')), 'is no number') end
local records, dead, known = 0, 0, {}
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
  known[queue] = true
  records = records + jobs_here(queue, tonumber(redis.call('HGET', waiting_key(queue), 'n') or 0) or 0)
  dead = dead + redis.call('ZCARD', dead_key(queue))
end
local told_parked = redis.call('HGETALL', PARKED_JOBS)
for i = 1, #told_parked, 2 do
  if not known[told_parked[i]] and told_parked[i + 1] ~= '0' then
    found('parked', told_parked[i], '0 jobs of parked tenants wait, ' .. told_parked[i + 1] .. ' are counted')
  end
end
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

local written = events_written()
if written and written ~= journal_events then
  found('journal', 'events', written .. ' events are in the journal, ' .. journal_events .. ' are counted')
end
if not written and has_recorder then
  found('unseen', 'events', 'in the journal, as more than ' .. ENTRIES_MOST .. ' entries of it are not recorded yet')
end
return findings
