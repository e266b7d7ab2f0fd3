-- Lease jobs to a worker: due jobs are promoted, held ones let in, lost workers' jobs taken back, then jobs are
-- picked queue by queue in the order given and tenant by tenant in fair order.
--
-- include: keys pass_full_memory core histograms rates gates idempotency promote suspects charges dead losses waits pick resumed commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {worker, number, total, wants}; number grows by one with each fetch of a worker,
--          a repeat of it, also one that arrives late, gets the same jobs again; total = most jobs over all queues;
--          want = {queue, most jobs, rate per second or 0, wait objective ms}
-- Returns {packed {status, next ms, jobs}, message 1, message 2, ...}:
--   status 'ok'; 'gone' when the worker is not registered (it was presumed lost); 'alone' when the
--   one job given must run alone; 'drain' when the worker must become empty before it fetches again;
--   next = ms after which a fetch may find more without being woken, 0 for no such time;
--   job = {id, queue, tenant, actor, attempt, losses, waited ms, alone, fetched at ms}.
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
    lease[L_FETCHED] - lease[L_SINCE], lease[L_ALONE], lease[L_FETCHED]}
  messages[#messages + 1] = record[R_MESSAGE]
end

if not redis.call('ZSCORE', WORKERS, worker) then return answer('gone') end
if tonumber(redis.call('HGET', worker_key(worker), 'fetch') or 0) >= number then
  local held = redis.call('HGETALL', leases_key(worker))
  local status = 'ok'
  for i = 1, #held, 2 do
    local lease = cmsgpack.unpack(held[i + 1])
    if lease[L_NUMBER] == number then
      add(held[i], cmsgpack.unpack(redis.call('HGET', JOBS, held[i])), lease)
      if lease[L_ALONE] == 1 then status = 'alone' end
    end
  end
  look_again_in(1)  -- when it may look again is told by its next fetch
  return answer(status)
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

-- Lease what was picked.
local function lease_all(queue, picks, objective, alone)
  local leases, active, missed = {}, {}, 0
  for _, job in ipairs(picks) do
    local id, record, spot, charge = unpack(job)
    local ready = record[R_SINCE]
    count_waiting(queue, ready, -1)
    local lease = {number, queue, record[R_TENANT], record[R_ACTOR], spot, ready, now, record[R_ATTEMPTS] + 1, charge, alone}
    if (record[R_KEY_TTL] or 0) > 0 then
      lease[L_KEY], lease[L_KEY_TTL] = record[R_KEY], record[R_KEY_TTL]
    end
    leases[#leases + 1] = id
    leases[#leases + 1] = cmsgpack.pack(lease)
    active[#active + 1] = now
    active[#active + 1] = id
    add(id, record, lease)
    local waited = now - math.max(ready, back_since[record[R_TENANT]] or 0, resumed_since(queue, record[R_ACTOR]))
    observe('job_wait\t' .. queue, waited)
    if waited > objective then missed = missed + 1 end
  end
  redis.call('HSET', leases_key(worker), unpack(leases))
  redis.call('ZADD', active_key(queue), unpack(active))
  count('wait_slo_starts\t' .. queue, #picks)
  count('wait_slo_violations\t' .. queue, missed)
end

-- Put a suspect that may not start where it costs no fetch anything: aside with its paused actor, or into the line
-- of its tenant, which has no free slot and is parked. It comes back as all do that stand there, see read_jobs.
-- Returns false for one that may start.
local function put_aside(queue, id, spot, record)
  local tenant = record[R_TENANT]
  if paused['actor:' .. record[R_ACTOR]] then
    redis.call('ZADD', halted_key(queue), spot, id)
  elseif (free_slots(tenant) or 1) <= 0 then
    park(queue, tenant)
    redis.call('ZADD', line_key(queue, tenant), spot, id)
    redis.call('HINCRBY', PARKED_JOBS, queue, 1)
  else
    return false
  end
  redis.call('ZREM', suspects_key(queue), id)
  return true
end

-- Suspects that one run puts aside: no script runs long.
local ASIDE_MOST = 50

-- The first suspect that may start, {id, place}: its tenant has a free slot, its actor is not paused.
local function next_suspect(queue)
  for _ = 1, ASIDE_MOST do
    local first = redis.call('ZRANGE', suspects_key(queue), 0, 0, 'WITHSCORES')
    if not first[1] then return nil end
    local packed = redis.call('HGET', JOBS, first[1])
    if not packed or not put_aside(queue, first[1], first[2], cmsgpack.unpack(packed)) then return first end
  end
  look_again_in(1)
end

-- A suspect runs alone in its process: an empty worker takes it and nothing else; with none empty,
-- one worker at a time claims it, is told to take nothing more, and comes back when it is empty.
-- Returns 'alone' or 'drain' when this worker must take nothing else now.
local function suspect(queue, rate, objective)
  if redis.call('EXISTS', suspects_key(queue)) == 0 then return nil end
  local found = next_suspect(queue)
  if not found or (rate > 0 and allowed(queue, rate) == 0) then return nil end
  local claim = claim_key(queue)
  if redis.call('HLEN', leases_key(worker)) > 0 then
    if redis.call('SET', claim, worker, 'NX', 'PX', lease_ms) or redis.call('GET', claim) == worker then return 'drain' end
    return nil
  end
  redis.call('ZREM', suspects_key(queue), found[1])
  local picks = read_jobs(queue, found, true)
  if #picks > 0 then
    adjust(queue, picks[1][2][R_TENANT], picks[1][4])
    take_slots(picks[1][2][R_TENANT], 1)
    lease_all(queue, picks, objective, 1)
    if rate > 0 then note_starts(queue, 1) end
  end
  redis.call('DEL', claim)
  if waits(queue) then touched[queue] = true end
  return 'alone'
end

local function take(queue, most, rate, objective)
  local n = math.min(most, total)
  if paused['queue:' .. queue] then return 0 end
  if n == 0 then return 1 end  -- no room for it here: another worker must look
  if redis.call('EXISTS', ring_key(queue)) == 1 then
    n = math.min(n, allowed(queue, rate))
    local picks = pick(queue, n)
    if #picks > 0 then
      lease_all(queue, picks, objective, 0)
      if rate > 0 then note_starts(queue, #picks) end
      total = total - #picks
    end
  end
  return n
end

local function look_after_suspects()
  for _, want in ipairs(wants) do
    if not paused['queue:' .. want[1]] then
      local status = suspect(want[1], want[3], want[4])
      if status then
        write_adjustments()
        return status
      end
    end
  end
end

take_back()
-- Its own lease had ended: nobody would ever take back what it is given now.
if not redis.call('ZSCORE', WORKERS, worker) then write_adjustments() commit() return answer('gone') end
local gate = open_gates()
if gate then look_again_in(gate - now) end
write_adjustments()
fill_lines()
local status = look_after_suspects() or 'ok'
for _, want in ipairs(wants) do
  local queue, most, rate, objective = unpack(want)
  promote(queue, 200)
  fill_lines()
  local n = status == 'ok' and take(queue, most, rate, objective) or 0
  -- What is left is another worker's to take; with nothing left a stale token would only cost a fetch.
  if not waits(queue) then
    redis.call('DEL', wake_key(queue))
    touched[queue] = nil
  elseif n > 0 or status ~= 'ok' then
    touched[queue] = true
  end
  local due = redis.call('ZRANGE', scheduled_key(queue), 0, 0, 'WITHSCORES')[2]
  if due then look_again_in(due - now) end
end
-- Suspects that stood in lines are not picked from there; with nothing else given, one may start now.
if suspects_came > 0 and status == 'ok' and #jobs == 0 then status = look_after_suspects() or status end
local loss = next_loss()
if loss then look_again_in(loss) end
commit()
return answer(status)
