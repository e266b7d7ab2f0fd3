-- A group holds the same message twice: that is one job, so it has one member less.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  group
-- Returns 1 when all its members have completed already, else 0.
local size = redis.call('HINCRBY', group_key(ARGV[1]), 'size', -1)
return redis.call('HLEN', group_key(ARGV[1])) - 1 == size and 1 or 0
