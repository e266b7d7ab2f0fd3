-- What decides when a job runs, read at one moment: where it stands and what stands in its way.
--
-- include: keys record fleet limits waiting lines rates progress
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  job id
-- Returns nil, or packed facts by name. Always: now, queue, tenant, actor, attempts, losses, postponed (1 when its
--   last run was), since, place (line, suspect, halted, held, scheduled, active, dead or nowhere), queue_paused,
--   actor_paused, workers (alive that serve the queue), starts and oldest_start (of the last second, ms); where the
--   tenant has limits: plan, concurrency, rate, running, tenant_paused. By place: ahead (jobs before it),
--   turns (tenants before its own), claimed, admitted (when its rate lets it in), due, worker, lease_ends, fetched,
--   fraction, note, cancelled, reason, error, died.
local now = read_clock()
local id = ARGV[1]
local packed = redis.call('HGET', JOBS, id)
if not packed then return nil end
local record = cmsgpack.unpack(packed)
local queue, tenant, actor = record[R_QUEUE], record[R_TENANT], record[R_ACTOR]
local facts = {now = now, queue = queue, tenant = tenant, actor = actor, attempts = record[R_ATTEMPTS],
  losses = record[R_LOSSES], postponed = record[R_POSTPONED] or 0, since = record[R_SINCE], place = 'nowhere'}

local function find_in(key, place)
  local score = redis.call('ZSCORE', key, id)
  if not score then return nil end
  facts.place = place
  return tonumber(score)
end

local function find_waiting()
  local line, suspects = line_key(queue, tenant), suspects_key(queue)
  if find_in(line, 'line') then
    facts.ahead = redis.call('ZRANK', line, id)
    facts.turns = redis.call('ZRANK', ring_key(queue), tenant) or nil
  elseif find_in(suspects, 'suspect') then
    facts.ahead = redis.call('ZRANK', suspects, id)
    facts.claimed = redis.call('GET', claim_key(queue)) or ''
  else
    find_in(halted_key(queue), 'halted')
  end
end

local function find_later()
  facts.due = find_in(scheduled_key(queue), 'scheduled')
  if find_in(held_key(tenant), 'held') then
    facts.ahead = redis.call('ZRANK', held_key(tenant), id)
    local limits = limits_of(tenant)
    facts.admitted = limits and free_moment(tenant, limits[T_RATE], facts.ahead) or now
    facts.due = record[R_DUE]
  end
end

local function find_running()
  facts.fetched = find_in(active_key(queue), 'active')
  if not facts.fetched then return end
  facts.cancelled = redis.call('HEXISTS', CANCELS, id)
  local workers = redis.call('ZRANGE', WORKERS, 0, -1, 'WITHSCORES')
  for i = 1, #workers, 2 do
    local held = redis.call('HGET', leases_key(workers[i]), id)
    if held then
      local lease = cmsgpack.unpack(held)
      facts.worker, facts.lease_ends = workers[i], tonumber(workers[i + 1])
      facts.fraction, facts.note = lease[L_FRACTION], lease[L_NOTE]
    end
  end
end

local function find_dead()
  facts.died = find_in(dead_key(queue), 'dead')
  local failure = facts.died and redis.call('HGET', FAILURES, id)
  if failure then facts.reason, facts.error = unpack(cmsgpack.unpack(failure)) end
end

local function look_at_queue()
  facts.queue_paused = redis.call('SISMEMBER', PAUSED, 'queue:' .. queue)
  facts.actor_paused = redis.call('SISMEMBER', PAUSED, 'actor:' .. actor)
  facts.workers = 0
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS, now, '+inf')) do
    for served in string.gmatch(redis.call('HGET', worker_key(worker), 'queues') or '', '%S+') do
      if served == queue then facts.workers = facts.workers + 1 end
    end
  end
  local starts = redis.call('ZRANGEBYSCORE', starts_key(queue), '(' .. now - 1000, '+inf', 'WITHSCORES')
  facts.starts = #starts / 2
  facts.oldest_start = tonumber(starts[2])
end

local function look_at_tenant()
  local limits = limits_of(tenant)
  if not limits then return end
  facts.plan, facts.concurrency, facts.rate = limits[T_PLAN], limits[T_CONCURRENCY], limits[T_RATE]
  facts.tenant_paused = limits[T_PAUSED] or 0
  facts.running = tonumber(redis.call('HGET', RUNNING, tenant) or 0)
end

find_waiting()
find_later()
find_running()
find_dead()
look_at_queue()
look_at_tenant()
return cmsgpack.pack(facts)
