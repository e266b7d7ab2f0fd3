-- Where a job stands. A job is in exactly one place; the audit looks into all of them.

-- Places of a job, {{name, key, score}, ...}; queue or tenant '' leaves out what is named after it. The safest
-- place comes first: what runs goes on, what has failed stays failed, what waits for its time waits on.
local function places_of(id, queue, tenant)
  local found = {}
  local function look_in(name, key)
    local score = redis.call('ZSCORE', key, id)
    if score then found[#found + 1] = {name, key, tonumber(score)} end
  end
  if queue ~= '' then
    look_in('active', active_key(queue))
    look_in('dead', dead_key(queue))
    look_in('scheduled', scheduled_key(queue))
  end
  if tenant ~= '' then look_in('held', held_key(tenant)) end
  if queue ~= '' then
    look_in('halted', halted_key(queue))
    look_in('suspects', suspects_key(queue))
  end
  if queue ~= '' and tenant ~= '' then look_in('waiting', line_key(queue, tenant)) end
  return found
end

local members = redis.call('ZRANGE', WORKERS, 0, -1)

-- Whether a worker's lease of a job can be read.
local function is_lease(worker, id)
  local packed = redis.call('HGET', leases_key(worker), id)
  return packed and readable(packed)
end

-- Registered workers that hold a lease of a job.
local function holders_of(id)
  local names = {}
  for _, worker in ipairs(members) do
    if redis.call('HEXISTS', leases_key(worker), id) == 1 then names[#names + 1] = worker end
  end
  return names
end

-- Whether a tenant is parked in a queue; not where nobody can read in which ones it is.
local function stands_parked(queue, tenant)
  local packed = redis.call('HGET', PARKED, tenant)
  for _, name in ipairs(packed and readable(packed) or {}) do
    if name == queue then return true end
  end
  return false
end

-- The record of a job: nil when there is none, false when it cannot be read.
local function record_of(id)
  local packed = redis.call('HGET', JOBS, id)
  if packed then return readable(packed) end
end
