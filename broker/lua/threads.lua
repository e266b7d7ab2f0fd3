-- Threads of workers that are alive: what a queue may use of them, does use, and could still get. A process that serves
-- several queues counts in each of them, and once in the fleet.
local NOBODY = {workers = 0, threads = 0, busy = 0, free = 0}

-- bounds = queue -> most jobs of it that one worker runs at once.
local function look_at_threads(bounds)
  local fleet = {workers = 0, threads = 0, busy = 0, queues = {}}

  local function bounded(queue, n)
    local bound = bounds[queue] or 0
    return bound > 0 and math.min(n, bound) or n
  end

  local function of(queue)
    local sums = fleet.queues[queue]
    if not sums then
      sums = {workers = 0, threads = 0, busy = 0, free = 0}
      fleet.queues[queue] = sums
    end
    return sums
  end

  -- Queue -> threads that run its jobs, and all of them; a worker holds a few jobs more than it runs.
  local function busy_threads(worker, own)
    local held, busy, all = {}, {}, 0
    for _, packed in ipairs(redis.call('HVALS', leases_key(worker))) do
      local queue = cmsgpack.unpack(packed)[L_QUEUE]
      held[queue] = (held[queue] or 0) + 1
    end
    for queue, n in pairs(held) do
      busy[queue] = math.min(n, bounded(queue, own))
      of(queue).busy = of(queue).busy + busy[queue]
      all = all + busy[queue]
    end
    return busy, math.min(all, own)
  end

  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, now, '+inf')) do
    local own, served = unpack(redis.call('HMGET', worker_key(worker), 'threads', 'queues'))
    own = tonumber(own or 0)
    local busy, all = busy_threads(worker, own)
    local useful = 0
    for queue in string.gmatch(served or '', '%S+') do
      local sums, most = of(queue), bounded(queue, own)
      sums.workers = sums.workers + 1
      sums.threads = sums.threads + most
      -- A thread that is busy with another queue's job starts none of this one's.
      sums.free = sums.free + math.max(0, math.min(most - (busy[queue] or 0), own - all))
      useful = useful + most
    end
    fleet.workers = fleet.workers + 1
    fleet.threads = fleet.threads + math.min(own, useful)
    fleet.busy = fleet.busy + all
  end
  return fleet
end
