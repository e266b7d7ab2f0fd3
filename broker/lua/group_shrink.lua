-- A message of a group is no job of its own (the group holds it twice, or its idempotency key belongs to a job
-- already), so the group has fewer members.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  group
-- ARGV[2]  how many of its messages are such ones, so far
-- ARGV[3]  the callbacks, packed {{send, message}, ...} with sends as in settle.lua, or nothing
-- Returns 1 when the runs of all its members have come to their ends, so that none brings the callbacks, else 0. With
-- callbacks: 1 when all members are settled too, so that the caller must send them; else they are kept for the last.
local name, key, callbacks = ARGV[1], group_key(ARGV[1]), ARGV[3]
redis.call('HSET', key, 'repeats', ARGV[2])
local members = redis.call('HGET', key, 'size') - ARGV[2]
if redis.call('HLEN', key) - 2 >= members then return 1 end
if redis.call('SCARD', arrived_key(name)) < members then return 0 end
if not callbacks then return 1 end
redis.call('SET', callbacks_key(name), callbacks, 'PX', math.max(redis.call('PTTL', key), 1))
return 0
