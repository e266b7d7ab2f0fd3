-- A group holds a message more than once: that is one job, so the group has fewer members.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  group
-- ARGV[2]  how many of its messages are such repeats, so far
-- Returns 1 when all its members have completed already, else 0.
local key = group_key(ARGV[1])
redis.call('HSET', key, 'repeats', ARGV[2])
local members = redis.call('HLEN', key) - 2
return members == redis.call('HGET', key, 'size') - ARGV[2] and 1 or 0
