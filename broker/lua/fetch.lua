-- Lease jobs to a worker: due jobs are promoted, lost workers' jobs taken back, then jobs are
-- picked queue by queue in the order given and tenant by tenant in fair order.
--
-- include: keys pass_full_memory record fleet metrics histograms journal lines leave_ring promote losses commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {worker, number, total, wants}; number grows by one with each fetch of a worker,
--          a repeat of the last number gets the same jobs again; total = most jobs over all queues;
--          want = {queue, most jobs, rate per second or 0, wait objective ms}
-- Returns {packed {status, next ms, jobs}, message 1, message 2, ...}:
--   status 'ok', or 'gone' when the worker is not registered (it was presumed lost);
--   next = ms after which a fetch may find more without being woken, 0 for no such time;
--   job = {id, queue, tenant, actor, attempt, losses, waited ms}.
local now = read_clock()
local request = cmsgpack.unpack(ARGV[1])
local worker, number, total, wants = unpack(request)

local next_ms = 0
local function look_again_in(ms)
  ms = math.max(math.ceil(ms), 1)
  if next_ms == 0 or ms < next_ms then next_ms = ms end
end

local jobs, messages = {}, {}
local function answer(status)
  return {cmsgpack.pack({status, next_ms, jobs}), unpack(messages)}
end

local function add(id, record, lease)
  jobs[#jobs + 1] = {id, lease[L_QUEUE], lease[L_TENANT], lease[L_ACTOR], lease[L_ATTEMPT], record[R_LOSSES],
    lease[L_FETCHED] - lease[L_SINCE]}
  messages[#messages + 1] = record[R_MESSAGE]
end

if not redis.call('ZSCORE', WORKERS, worker) then return answer('gone') end
if redis.call('HGET', worker_key(worker), 'fetch') == tostring(number) then
  local held = redis.call('HGETALL', leases_key(worker))
  for i = 1, #held, 2 do
    local lease = cmsgpack.unpack(held[i + 1])
    if lease[L_NUMBER] == number then add(held[i], cmsgpack.unpack(redis.call('HGET', JOBS, held[i])), lease) end
  end
  return answer('ok')
end
redis.call('HSET', worker_key(worker), 'fetch', number)

-- How many may start now under a queue's rate: never more than `rate` starts in any one second.
local function allowed(queue, rate)
  if rate == 0 then return total end
  local starts = starts_key(queue)
  redis.call('ZREMRANGEBYSCORE', starts, '-inf', now - 1000)
  local free = rate - redis.call('ZCARD', starts)
  if free <= 0 then
    look_again_in(redis.call('ZRANGE', starts, 0, 0, 'WITHSCORES')[2] + 1001 - now)
    return 0
  end
  return free
end

local function note_starts(queue, n)
  for i = 1, n do redis.call('ZADD', starts_key(queue), now, worker .. ':' .. number .. ':' .. i) end
  redis.call('PEXPIRE', starts_key(queue), 5000)
end

local CHARGE = 1  -- virtual service per start

local function weight_of(tenant) return tonumber(redis.call('HGET', WEIGHTS, tenant) or 1) end

-- Up to n jobs of a queue in fair order: {{id, tenant, place}, ...}. While the next tenant's turn
-- is further off than one job, several are taken at once: one tenant alone costs one command.
local function pick(queue, n)
  local picks, virtual = {}, nil
  while n > 0 do
    local head = redis.call('ZRANGE', ring_key(queue), 0, 1, 'WITHSCORES')
    local tenant, tag = head[1], tonumber(head[2])
    if not tenant then break end
    local step = CHARGE / weight_of(tenant)
    local most = n
    if head[3] then most = math.min(n, math.floor((head[4] - tag) / step) + 1) end
    local popped = redis.call('ZPOPMIN', line_key(queue, tenant), most)
    local got = #popped / 2
    for i = 1, #popped, 2 do picks[#picks + 1] = {popped[i], tenant, tonumber(popped[i + 1])} end
    virtual = tag + math.max(got - 1, 0) * step
    if got < most or redis.call('EXISTS', line_key(queue, tenant)) == 0 then
      leave_ring(queue, tenant, tag + got * step)
    else
      redis.call('ZADD', ring_key(queue), tag + got * step, tenant)
    end
    n = n - got
  end
  if virtual then
    redis.call('HSET', VTIME, queue, virtual)
    redis.call('ZREMRANGEBYSCORE', tags_key(queue), '-inf', virtual)
  end
  return picks
end

-- Lease what was picked.
local function lease_all(queue, picks, objective)
  local ids, leases, active, missed = {}, {}, {}, 0
  for i, found in ipairs(picks) do ids[i] = found[1] end
  local records = redis.call('HMGET', JOBS, unpack(ids))
  local since = redis.call('ZMSCORE', waiting_key(queue), unpack(ids))
  redis.call('ZREM', waiting_key(queue), unpack(ids))
  for i, found in ipairs(picks) do
    if records[i] then
      local record = cmsgpack.unpack(records[i])
      local ready = tonumber(since[i] or now)
      local lease = {number, queue, found[2], record[R_ACTOR], found[3], ready, now, record[R_ATTEMPTS] + 1}
      leases[#leases + 1] = found[1]
      leases[#leases + 1] = cmsgpack.pack(lease)
      active[#active + 1] = now
      active[#active + 1] = found[1]
      add(found[1], record, lease)
      observe('job_wait\t' .. queue, now - ready)
      if now - ready > objective then missed = missed + 1 end
    end
  end
  if #leases == 0 then return end
  redis.call('HSET', leases_key(worker), unpack(leases))
  redis.call('ZADD', active_key(queue), unpack(active))
  count('wait_slo_starts\t' .. queue, #leases / 2)
  count('wait_slo_violations\t' .. queue, missed)
end

take_back()
for _, want in ipairs(wants) do
  local queue, most, rate, objective = unpack(want)
  promote(queue, 200)
  local n = math.min(most, total)
  if redis.call('SISMEMBER', PAUSED, 'queue:' .. queue) == 1 then n = 0 end
  if n > 0 and redis.call('EXISTS', ring_key(queue)) == 1 then
    n = math.min(n, allowed(queue, rate))
    local picks = pick(queue, n)
    if #picks > 0 then
      lease_all(queue, picks, objective)
      if rate > 0 then note_starts(queue, #picks) end
      total = total - #picks
    end
  end
  -- What is left is another worker's to take; with nothing left a stale token would only cost a fetch.
  if redis.call('EXISTS', ring_key(queue)) == 0 then
    redis.call('DEL', wake_key(queue))
    touched[queue] = nil
  elseif n > 0 then
    touched[queue] = true
  end
  local due = redis.call('ZRANGE', scheduled_key(queue), 0, 0, 'WITHSCORES')[2]
  if due then look_again_in(due - now) end
end
local loss = next_loss()
if loss then look_again_in(loss) end
commit()
return answer('ok')
