-- Let arrivals be counted on from the newest one that waits, where the count was lost: otherwise newer jobs would go
-- before it. What ended lately is known again too, so that a repeat of its send is known as one.
--
-- include: keys pass_full_memory
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  arrival of the newest job that waits
-- Returns the arrival that is counted from.
local newest = math.max(tonumber(redis.call('HGET', FLEET, 'sequence') or 0), tonumber(ARGV[1]))
redis.call('HSET', FLEET, 'sequence', newest)
redis.call('HSETNX', FLEET, 'ended', math.floor(redis.call('TIME')[1] / 30))
return newest
