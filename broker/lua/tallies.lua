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

-- Call look(packed record) for each job of a sorted set that has one; returns how many members there are.
local function each_packed(key, look)
  local ids = redis.call('ZRANGE', key, 0, -1)
  for from = 1, #ids, 500 do
    for _, packed in ipairs(redis.call('HMGET', JOBS, unpack(ids, from, math.min(from + 499, #ids)))) do
      if packed then look(packed) end
    end
  end
  return #ids
end

-- Call look(record) for each job of a sorted set that has a record; returns how many members there are.
local function each_record(key, look)
  return each_packed(key, function(packed)
    local record = readable(packed)
    if record then look(record) end
  end)
end

-- The tenant in a packed record, or nil. Of the array only the first three are unpacked, behind the byte that says how
-- many there are: not the message, which is nearly all of it.
local function tenant_in(packed)
  local could, _, _, _, tenant = pcall(cmsgpack.unpack_limit, string.sub(packed, 2, 1000), 3)
  if could and type(tenant) == 'string' then return tenant end
  local record = readable(packed)
  return record and record[R_TENANT]
end

-- Jobs outside lines whose records one run reads for the backlogs, some 3 ms for a thousand: when a repair counts
-- all tenants at once, and when an audit does so for some tenants at a time and again for the next. With more of them
-- the fleet would feel it, so backlogs are not looked at then: they only decide when sends are refused.
local BACKLOG_MOST, SLICE_MOST = 10000, 3000

-- Tenant -> jobs that are here and stand in no line and are not held, or nil when they are more than `most`.
local function jobs_apart(queues, most)
  local keys, all, found = {}, 0, {}
  for _, queue in ipairs(queues) do
    for _, key in ipairs({scheduled_key(queue), active_key(queue), suspects_key(queue), halted_key(queue)}) do
      keys[#keys + 1] = key
      all = all + redis.call('ZCARD', key)
    end
  end
  if all > most then return nil end
  for _, key in ipairs(keys) do
    each_packed(key, function(packed)
      local tenant = tenant_in(packed)
      if tenant then found[tenant] = (found[tenant] or 0) + 1 end
    end)
  end
  found[SYSTEM] = nil
  return found
end

-- Tenant -> unfinished jobs, or nil when there are too many to be counted; parked = queue -> parked tenants.
local function backlogs(parked)
  local queues = redis.call('SMEMBERS', QUEUES)
  local found = jobs_apart(queues, BACKLOG_MOST)
  if not found then return nil end
  local function owes(tenant, n)
    if tenant ~= SYSTEM and n > 0 then found[tenant] = (found[tenant] or 0) + n end
  end
  for _, queue in ipairs(queues) do
    for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do
      owes(tenant, redis.call('ZCARD', line_key(queue, tenant)))
    end
    for _, tenant in ipairs(parked[queue] or {}) do owes(tenant, redis.call('ZCARD', line_key(queue, tenant))) end
  end
  for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do owes(tenant, redis.call('ZCARD', held_key(tenant))) end
  return found
end

-- Entries of the journal that one run reads.
local ENTRIES_MOST = 100

-- Events in the journal, or nil where nobody counts them or there are too many to be read in one run.
local function events_written()
  if redis.call('HGET', FLEET, 'recorder') ~= '1' or redis.call('XLEN', JOURNAL) > ENTRIES_MOST then return nil end
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
