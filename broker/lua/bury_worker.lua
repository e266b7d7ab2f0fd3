-- A worker is known to be dead (the lock that lived with it is free): take back what it held at
-- once, whatever its lease and whatever grace may say.
--
-- include: keys pass_full_memory core idempotency suspects charges dead losses commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  worker
-- Returns 1 when it was registered, 0 when somebody else was faster.
local now = read_clock()
if not redis.call('ZSCORE', WORKERS, ARGV[1]) then return 0 end
give_back_all(ARGV[1], 'lost', 'worker died')
count('workers_lost')
write_adjustments()
commit()
return 1
