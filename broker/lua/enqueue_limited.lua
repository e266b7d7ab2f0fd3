-- Accept jobs under policies: keys that make jobs sent twice one job, tenants' backlogs and rates.
--
-- include: keys record fleet ended limits memory metrics journal waiting lines backlog rates commit accept idempotency door
--
-- KEYS[1]  namespace in braces
-- ARGV     see door.lua; policy is '' or packed {on limit, promised, key, digest, ttl ms}:
--          on limit = 0 not limited, 1 refused, 2 held; promised = 1 when no backlog refuses it;
--          digest of the payload that goes with the key; ttl = for how long the key is remembered after
--          completion, 0 when it protects nothing
-- Returns for each job what door.lua says, or
--   {5, max_backlog, plan}  the tenant's backlog is full
--   {6, job id}             its key belongs to a job with another payload
--   {7, ms, rate, plan}     the tenant's rate lets it in after that many ms, behind what is held
--   {8, job id}             a duplicate of that job
local now = read_clock()

local function refuse(queue, limits, reason, answer)
  count('tenant_refused\t' .. limits[T_PLAN] .. '\t' .. queue .. '\t' .. reason)
  answer[#answer + 1] = limits[T_PLAN]
  return answer
end

-- Ms after which it is worth to ask again, where the rate would let in what is held and nobody has looked yet: the
-- monitor looks each second.
local NEXT_LOOK_MS = 1000
local held_jobs = {}  -- tenant -> its held jobs
local any_gates = redis.call('EXISTS', GATES) == 1

local function held_ahead(tenant)
  if not any_gates then return 0 end
  held_jobs[tenant] = held_jobs[tenant] or redis.call('ZCARD', held_key(tenant))
  return held_jobs[tenant]
end

-- When a job of a limited tenant may come in: now, which is noted, or later. What is held goes first.
local function admission_moment(tenant, rate)
  local ahead = held_ahead(tenant)
  local moment = free_moment(tenant, rate, ahead)
  if ahead > 0 then return moment > now and moment or now + NEXT_LOOK_MS end
  if moment == now then note_admission(tenant, rate) end
  return moment
end

-- What speaks against a job, as it is answered, or nil; and the moment of one that is held.
local function judge(queue, tenant, on_limit, promised)
  local limits = on_limit > 0 and limits_of(tenant)
  if not limits then return nil end
  if promised == 0 and backlog_of(tenant) >= limits[T_BACKLOG] then
    return refuse(queue, limits, 'backlog', {5, limits[T_BACKLOG]})
  end
  local rate = limits[T_RATE]
  local moment = admission_moment(tenant, rate)
  if moment > now and on_limit == 1 then return refuse(queue, limits, 'rate', {7, moment - now, rate}) end
  count('tenant_admitted\t' .. limits[T_PLAN] .. '\t' .. queue)
  if moment > now then
    held_jobs[tenant], any_gates = held_ahead(tenant) + 1, true
    return nil, moment
  end
end

-- Whose the key is already: what is answered then, or nil.
local function judge_key(queue, tenant, name, digest)
  local sent = sent_under(name)
  if not sent then return nil end
  if sent[2] ~= digest then
    local limits = limits_of(tenant)
    return limits and refuse(queue, limits, 'invalid', {6, sent[1]}) or {6, sent[1]}
  end
  count('duplicates\t' .. queue)
  return {8, sent[1]}
end

-- A job under a policy. It is stored first, so that a repeat is known as one; what is refused goes again.
local function admit(id, queue, tenant, actor, priority, delay, policy, message)
  local on_limit, promised, key, digest, ttl = unpack(cmsgpack.unpack(policy))
  if not store_record(id, queue, tenant, actor, priority, delay, key, message, ttl) then return 2 end
  local name = ttl > 0 and key_name(tenant, actor, key)
  local answer, moment = name and judge_key(queue, tenant, name, digest), nil
  if not answer then answer, moment = judge(queue, tenant, on_limit, promised) end
  if answer then
    redis.call('HDEL', JOBS, id)
    return answer
  end
  if name then redis.call('SET', name, cmsgpack.pack({id, digest})) end
  take_place(id, queue, tenant, actor, priority, delay, key, message, moment)
  return 1
end

-- Of a bulk send: whose jobs it brings, what their limits are, and what they have unfinished.
local function read_tenants()
  local names, seen = {}, {}
  for at = 4, #ARGV, PARTS do
    local tenant = ARGV[at]
    if not seen[tenant] then names[#names + 1] = tenant end
    seen[tenant] = true
  end
  read_limits(names)
  read_backlogs(names)
end

read_tenants()
return take_in(admit)
