-- The run of a group's member has come to its end; its settle will count it.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  group
-- ARGV[2]  the member's job id
-- ARGV[3]  ms after which that is forgotten
-- Returns 1 when all members have come that far, so that this one's settle must bring the callbacks, else 0.
local arrived = arrived_key(ARGV[1])
redis.call('SADD', arrived, ARGV[2])
redis.call('PEXPIRE', arrived, ARGV[3])
local size = redis.call('HMGET', group_key(ARGV[1]), 'size', 'repeats')
return redis.call('SCARD', arrived) >= (size[1] or 0) - (size[2] or 0) and 1 or 0
