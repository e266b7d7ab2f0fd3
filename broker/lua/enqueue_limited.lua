-- Accept jobs under policies: keys that make jobs sent twice one job, tenants' backlogs and rates.
--
-- include: keys record fleet ended limits memory metrics journal waiting lines backlog commit rates accept idempotency door
--
-- KEYS[1]  namespace in braces
-- ARGV     see door.lua; policy is '' or packed {on limit, promised, key, digest, ttl ms}:
--          on limit = 0 not limited, 1 refused, 2 held; promised = 1 when no backlog refuses it;
--          digest of the payload that goes with the key; ttl = for how long the key is remembered after
--          completion, 0 when it protects nothing
-- Returns for each job what door.lua says, or
--   {5, max_backlog, plan}  the tenant's backlog is full
--   {6, job id}             its key belongs to a job with another payload
--   {7, ms, rate, plan}     the tenant's rate lets in no more before that many ms
--   {8, job id}             a duplicate of that job
local now = read_clock()

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

return take_in(admit)
