-- Count anew what is kept as a count, wake whom nothing would, and correct the counters of queues: what was counted
-- twice or never cannot be known afterwards, so a counter of its own says by how much the sum is wrong. With it
-- the sum is true again, and each later fault shows.
--
-- include: keys pass_full_memory core readable conservation tallies commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- Returns {name, what was done, ...} flat, empty when all was right.
local now = read_clock()
local mended = {}
local function did(name, text)
  mended[#mended + 1] = name
  mended[#mended + 1] = text
end

local function recount(key, counted, what)
  compare(key, counted, function(field, n, told)
    if n == 0 then redis.call('HDEL', key, field) else redis.call('HSET', key, field, n) end
    did(field, what .. ' were counted anew: ' .. n .. ' instead of ' .. told)
  end)
end

local function drop_unreadable_leases()
  for _, worker in ipairs(redis.call('ZRANGE', WORKERS, 0, -1)) do
    local held = redis.call('HGETALL', leases_key(worker))
    for i = 1, #held, 2 do
      if not readable(held[i + 1]) then
        redis.call('HDEL', leases_key(worker), held[i])
        did(held[i], 'the lease of ' .. worker .. ' could not be read: it was ended')
      end
    end
  end
end

-- A tenant is parked while it has no free slot, and has no turn meanwhile.
local function mend_parking(tenant, packed)
  local queues, free = readable(packed), free_slots(tenant)
  if not queues then
    redis.call('HDEL', PARKED, tenant)
    return did(tenant, 'is not parked any more: in which queues it was could not be read')
  end
  if not free or free > 0 then
    unpark(tenant, packed)
    return did(tenant, 'was parked with free slots: it has its turn again')
  end
  for _, queue in ipairs(queues) do
    local tag = redis.call('ZSCORE', ring_key(queue), tenant)
    if tag then
      leave_ring(queue, tenant, tag)
      did(tenant, 'had a turn in ' .. queue .. ' though it is parked: it has none')
    end
  end
end

local function mend_held()
  local held = {}
  for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do
    local n = each_record(held_key(tenant), function(record)
      held[record[R_QUEUE]] = (held[record[R_QUEUE]] or 0) + 1
    end)
    if n == 0 then
      redis.call('ZREM', GATES, tenant)
      did(tenant, 'had a gate and nothing held: the gate is gone')
    end
  end
  recount(HELD, held, 'held jobs')
end

local function mend_sums(parked)
  local counted, broken = jobs_counted()
  local aside = {}
  for _, field in ipairs(broken) do
    redis.call('HDEL', METRICS, field)
    did((string.gsub(field, '\t', ' ')), 'was no number: it counts from 0 again')
  end
  for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
    local waiting, of_parked = jobs_waiting(queue, parked[queue])
    if of_parked > 0 then aside[queue] = of_parked end
    local wrong = jobs_here(queue, waiting) - (counted[queue] or 0)
    if wrong ~= 0 then
      redis.call('HINCRBY', METRICS, 'audit_corrections\t' .. queue, wrong)
      did(queue, 'its counters were corrected by ' .. wrong .. ' in audit_corrections')
    end
  end
  recount(PARKED_JOBS, aside, 'jobs of parked tenants')
end

-- Marks of jobs that are nowhere any more where a mark means something.
local function drop_marks(key, key_of, text)
  for _, id in ipairs(redis.call('HKEYS', key)) do
    if not is_among(key_of, id) then
      redis.call('HDEL', key, id)
      did(id, text)
    end
  end
end

local function mend_marks()
  local dead = 0
  for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do dead = dead + redis.call('ZCARD', dead_key(queue)) end
  if redis.call('HLEN', FAILURES) > dead then
    drop_marks(FAILURES, dead_key, 'said why it failed and is no dead letter: that is gone')
  end
  drop_marks(CANCELS, active_key, 'was marked as cancelled and does not run: the mark is gone')
end

return answer_once(ARGV[1], function()
  drop_unreadable_leases()
  mend_marks()
  recount(RUNNING, (slots_leased()), 'slots')
  local lists = redis.call('HGETALL', PARKED)
  for i = 1, #lists, 2 do mend_parking(lists[i], lists[i + 1]) end
  mend_held()
  local parked = parked_tenants()
  local owed, written = backlogs(parked), events_written()
  if owed then recount(BACKLOG, owed, 'unfinished jobs') end
  if written and written ~= journal_events then
    did('journal', 'its events were counted anew: ' .. written .. ' instead of ' .. journal_events)
    journal_events = written
    set_state('events', written)
  end
  mend_sums(parked)
  return mended
end)
