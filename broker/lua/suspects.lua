-- Jobs that lost their worker twice wait apart and run alone in a process.
local function join_suspects(queue, id, spot, since)
  redis.call('ZADD', suspects_key(queue), spot, id)
  count_waiting(queue, since, 1)
  redis.call('SADD', QUEUES, queue)
  touched[queue] = true
end
