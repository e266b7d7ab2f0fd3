-- A worker process joins the fleet, with what it is and which actors it knows.
--
-- include: keys fleet metrics journal lines commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {worker, lease ms, facts, queues, actors}; facts and actors flat {field, value, ...}
-- Returns 1.
local now = read_clock()
local worker, lease, facts, queues, actors = unpack(cmsgpack.unpack(ARGV[1]))
set_state('lease', lease)
redis.call('ZADD', WORKERS, now + lease, worker)
redis.call('HSET', worker_key(worker), 'registered', now, unpack(facts))
if #queues > 0 then redis.call('SADD', QUEUES, unpack(queues)) end
if #actors > 0 then redis.call('HSET', ns .. ':actors', unpack(actors)) end
commit()
return 1
