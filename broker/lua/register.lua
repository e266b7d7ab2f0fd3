-- A worker process joins the fleet, with what it is and which actors it knows. A name is used once:
-- a call that arrives after its worker has left or was lost does not bring the worker back.
--
-- include: keys pass_full_memory core commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {worker, lease ms, facts, queues, actors, host}; facts and actors flat {field, value, ...};
--          host = id of the machine whose workers can prove each other's death, or ''
-- Returns 1.
local now = read_clock()
local worker, lease, facts, queues, actors, host = unpack(cmsgpack.unpack(ARGV[1]))

return answer_once(worker, function()
  set_state('lease', lease)
  redis.call('ZADD', WORKERS, now + lease, worker)
  redis.call('HSET', worker_key(worker), 'registered', now, unpack(facts))
  if host ~= '' then
    redis.call('HSET', worker_key(worker), 'host_id', host)
    redis.call('SADD', host_key(host), worker)
  end
  if #queues > 0 then redis.call('SADD', QUEUES, unpack(queues)) end
  if #actors > 0 then redis.call('HSET', ns .. ':actors', unpack(actors)) end
  return 1
end)
