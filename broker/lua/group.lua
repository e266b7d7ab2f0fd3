-- Note the size of a group, before its members are sent.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  group
-- ARGV[2]  number of its members
-- ARGV[3]  ms after which it is forgotten
-- Returns 1.
redis.call('HSETNX', group_key(ARGV[1]), 'size', ARGV[2])
redis.call('HSETNX', group_key(ARGV[1]), 'repeats', 0)
redis.call('PEXPIRE', group_key(ARGV[1]), ARGV[3])
return 1
