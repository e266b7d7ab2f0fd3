-- What is kept as a count, counted anew.

-- Tenant -> slots: a slot is a lease of a registered worker. Also how many leases there are, the system's too.
local function slots_leased()
  local slots, leases = {}, 0
  for _, worker in ipairs(redis.call('ZRANGE', WORKERS, 0, -1)) do
    for _, packed in ipairs(redis.call('HVALS', leases_key(worker))) do
      local lease = readable(packed)
      local tenant = lease and lease[L_TENANT] or SYSTEM
      leases = leases + 1
      if tenant ~= SYSTEM then slots[tenant] = (slots[tenant] or 0) + 1 end
    end
  end
  return slots, leases
end

-- Call look(record) for each job of a sorted set that has a record; returns how many members there are.
local function each_record(key, look)
  local ids = redis.call('ZRANGE', key, 0, -1)
  for from = 1, #ids, 500 do
    for _, packed in ipairs(redis.call('HMGET', JOBS, unpack(ids, from, math.min(from + 499, #ids)))) do
      local record = packed and readable(packed)
      if record then look(record) end
    end
  end
  return #ids
end

-- Jobs outside lines whose records one run reads for the backlogs, some 3 ms for a thousand. With more of them
-- the fleet would feel it, so backlogs are not looked at then: they only decide when sends are refused.
local BACKLOG_MOST = 10000

-- Tenant -> unfinished jobs, or nil when there are too many to be counted; parked = queue -> parked tenants.
local function backlogs(parked)
  local queues, apart, found = redis.call('SMEMBERS', QUEUES), {}, {}
  local most = 0
  for _, queue in ipairs(queues) do
    for _, key in ipairs({scheduled_key(queue), active_key(queue), suspects_key(queue), halted_key(queue)}) do
      apart[#apart + 1] = key
      most = most + redis.call('ZCARD', key)
    end
  end
  if most > BACKLOG_MOST then return nil end
  local function owes(tenant, n)
    if tenant ~= SYSTEM and n > 0 then found[tenant] = (found[tenant] or 0) + n end
  end
  for _, key in ipairs(apart) do each_record(key, function(record) owes(record[R_TENANT], 1) end) end
  for _, queue in ipairs(queues) do
    for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do
      owes(tenant, redis.call('ZCARD', line_key(queue, tenant)))
    end
    for _, tenant in ipairs(parked[queue] or {}) do owes(tenant, redis.call('ZCARD', line_key(queue, tenant))) end
  end
  for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do owes(tenant, redis.call('ZCARD', held_key(tenant))) end
  return found
end

-- Events in the journal, or nil where nobody counts them or there are too many to be read in one run.
local function events_written()
  if redis.call('HGET', FLEET, 'recorder') ~= '1' or redis.call('XLEN', JOURNAL) > 100 then return nil end
  local written = 0
  for _, entry in ipairs(redis.call('XRANGE', JOURNAL, '-', '+')) do
    local batch = readable(entry[2][2])
    if batch then written = written + #batch end
  end
  return written
end

-- Whether a job is among the active or dead ones of its queue; key_of(queue) = their key.
local function is_among(key_of, id)
  local packed = redis.call('HGET', JOBS, id)
  local record = packed and readable(packed)
  return record and redis.call('ZSCORE', key_of(record[R_QUEUE]), id) and true or false
end

-- Compare a hash of counts with what was counted: differ(field, n, told) for each that differs. Of tenants, whose
-- names have no colon, RUNNING says more than a count.
local function compare(key, counted, differ)
  local told = redis.call('HGETALL', key)
  local known = {}
  for i = 1, #told, 2 do
    if key ~= RUNNING or not string.find(told[i], ':') then known[told[i]] = tonumber(told[i + 1]) or told[i + 1] end
  end
  for field, n in pairs(counted) do
    if n ~= (known[field] or 0) then differ(field, n, known[field] or 0) end
    known[field] = nil
  end
  for field, n in pairs(known) do
    if n ~= 0 then differ(field, 0, n) end
  end
end
