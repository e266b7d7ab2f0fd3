-- Check leases and slots, at one moment: each active job has a lease, and each tenant has the slots that are counted.
-- Some 30 ms with the leases of ten thousand tenants.
--
-- include: keys record fleet readable tallies findings
--
-- KEYS[1]  namespace in braces
-- Returns {kind, name, text, ...} flat, empty when all is well.
local now = read_clock()
local active = 0
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do active = active + redis.call('ZCARD', active_key(queue)) end
local slots, leased = slots_leased()
compare(RUNNING, slots, function(tenant, n, told)
  found('slots', tenant, 'holds ' .. n .. ' leases, ' .. told .. ' are counted')
end)
if leased ~= active then found('leases', 'workers', leased .. ' leases for ' .. active .. ' active jobs') end
return findings
