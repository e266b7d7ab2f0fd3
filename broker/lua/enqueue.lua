-- Accept jobs: one round trip, all or nothing for each job.
--
-- include: keys core memory rates accept idempotency
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  journal_max
-- then for each job: id, queue, tenant, actor, priority, delay ms, policy, encoded message. Plain
--          arguments, not packed ones: unpacking them was 4 of 45 microseconds of a single send.
--   policy '' or packed {on limit, promised, key, digest, ttl ms}: on limit = 0 not limited, 1 refused,
--          2 held; promised = 1 when no backlog refuses it; digest of the payload that goes with the key;
--          ttl = for how long the key is remembered after completion, 0 when it protects nothing
-- Returns for each job:
--   1 accepted
--   2 known already: a repeat of the same send changes nothing; an id is remembered until at least
--     60 s after its job has ended
--   3 journal at its cap    4 the server's memory is nearly used up
--   {5, max_backlog, plan}  the tenant's backlog is full
--   {6, job id}             its key belongs to a job with another payload
--   {7, ms, rate, plan}     the tenant's rate lets in no more before that many ms
--   {8, job id}             a duplicate of that job
local PARTS = 8
local now = read_clock()
local journal_max = tonumber(ARGV[1])
local n = (#ARGV - 1) / PARTS

-- Ids of jobs that ended lately, looked for only where such a set exists at all.
local ended = {}
local epoch = math.floor(now / 30000)
local sets = {ended_key(epoch), ended_key(epoch - 1), ended_key(epoch - 2)}
if redis.call('EXISTS', unpack(sets)) > 0 then
  local ids = {}
  for i = 1, n do ids[i] = ARGV[2 + (i - 1) * PARTS] end
  for _, set in ipairs(sets) do
    for i, known in ipairs(redis.call('SMISMEMBER', set, unpack(ids))) do
      if known == 1 then ended[i] = true end
    end
  end
end

local function refuse(queue, limits, reason, answer)
  count('tenant_refused\t' .. limits[T_PLAN] .. '\t' .. queue .. '\t' .. reason)
  answer[#answer + 1] = limits[T_PLAN]
  return answer
end

-- When a job of a limited tenant may come in: now, which is noted, or later. What is held goes first.
local function admission_moment(tenant, rate)
  local moment = free_moment(tenant, rate)
  local gate = moment == now and redis.call('ZSCORE', GATES, tenant)
  if gate then moment = math.max(now + 1, tonumber(gate)) end
  if moment == now then note_admission(tenant, rate) end
  return moment
end

-- A job under a policy: its key, its tenant's backlog and rate.
local function admit(id, queue, tenant, actor, priority, delay, policy, message)
  local on_limit, promised, key, digest, ttl = unpack(cmsgpack.unpack(policy))
  local name = ttl > 0 and key_name(tenant, actor, key)
  local sent = name and sent_under(name)
  if sent and sent[2] ~= digest then return {6, sent[1]} end
  if sent then
    count('duplicates\t' .. queue)
    return {8, sent[1]}
  end
  local limits = on_limit > 0 and limits_of(tenant)
  local rate, later
  if limits then
    if promised == 0 and backlog_of(tenant) >= limits[T_BACKLOG] then
      return refuse(queue, limits, 'backlog', {5, limits[T_BACKLOG]})
    end
    rate = limits[T_RATE]
    local moment = admission_moment(tenant, rate)
    if moment > now then
      if on_limit == 1 then return refuse(queue, limits, 'rate', {7, moment - now, rate}) end
      later = moment
    end
    count('tenant_admitted\t' .. limits[T_PLAN] .. '\t' .. queue)
  end
  if name then redis.call('SET', name, cmsgpack.pack({id, digest})) end
  accept(id, queue, tenant, actor, priority, delay, key, message, ttl, rate, later)
  return 1
end

local outcomes = {}
for i = 1, n do
  local at = 1 + (i - 1) * PARTS
  local id, queue, tenant, actor, priority, delay, policy, message = unpack(ARGV, at + 1, at + PARTS)
  priority, delay = tonumber(priority), tonumber(delay)
  local refusal = (has_recorder and journal_events + #events >= journal_max and 3) or (memory_is_full() and 4)
  if ended[i] or ((refusal or policy ~= '') and redis.call('HEXISTS', JOBS, id) == 1) then
    outcomes[i] = 2
  elseif refusal then
    outcomes[i] = refusal
  elseif policy ~= '' then
    outcomes[i] = admit(id, queue, tenant, actor, priority, delay, policy, message)
  else
    outcomes[i] = accept(id, queue, tenant, actor, priority, delay, '', message) and 1 or 2
  end
end
commit()
return outcomes
