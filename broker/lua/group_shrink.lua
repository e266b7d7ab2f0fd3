-- A group holds the same message twice: that is one job, so it has one member less.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  group
-- Returns its size.
return redis.call('HINCRBY', group_key(ARGV[1]), 'size', -1)
