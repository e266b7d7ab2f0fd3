-- How many jobs wait in a queue, and since when: counts by second instead of an entry for each job,
-- so that a job costs the same whatever waits. (A sorted set of all waiting jobs was a fifth of the
-- server's time per job and grew with the backlog.)
local arrived = {}  -- queue -> second -> jobs that began to wait less those that ceased

local function count_waiting(queue, since, n)
  local seconds = arrived[queue]
  if not seconds then
    seconds = {}
    arrived[queue] = seconds
  end
  local second = math.floor(since / 1000)
  seconds[second] = (seconds[second] or 0) + n
end

local function write_waiting()
  for queue, seconds in pairs(arrived) do
    local key, all = waiting_key(queue), 0
    for second, n in pairs(seconds) do
      if n ~= 0 then
        all = all + n
        local left = redis.call('HINCRBY', key, second, n)
        if left == n then redis.call('ZADD', oldest_key(queue), second, second) end
        if left == 0 then
          redis.call('HDEL', key, second)
          redis.call('ZREM', oldest_key(queue), second)
        end
      end
    end
    if all ~= 0 and redis.call('HINCRBY', key, 'n', all) == 0 then redis.call('HDEL', key, 'n') end
  end
end
