-- Mend a slice of jobs: each ends in exactly one place, with what belongs to that place. No job that has a record
-- is lost: one that stands nowhere runs again. Counts are not kept here, they are counted anew afterwards.
--
-- include: keys pass_full_memory core rates suspects readable places commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  packed {id, queue, tenant, ...} flat, as for audit_jobs
-- Returns {id, what was done, ...} flat; nothing for a job that is as it should be.
local now = read_clock()
local mended = {}
local function did(id, text)
  mended[#mended + 1] = id
  mended[#mended + 1] = text
end

local function remove(id, found)
  for _, where in ipairs(found) do
    redis.call('ZREM', where[2], id)
    did(id, 'was taken out of ' .. where[1])
  end
end

-- End all leases of a job but the first `most` that can be read; returns whether one is left.
local function end_leases(id, most)
  local kept = 0
  for _, worker in ipairs(holders_of(id)) do
    if kept < most and is_lease(worker, id) then
      kept = kept + 1
    else
      redis.call('HDEL', leases_key(worker), id)
      did(id, 'lost the lease of ' .. worker)
    end
  end
  return kept > 0
end

-- A job that stands nowhere: what it was is told by what is left of it.
local function send_back(id, record)
  local queue, tenant = record[R_QUEUE], record[R_TENANT]
  local packed, due = redis.call('HGET', FAILURES, id), record[R_DUE] or 0
  local failure = packed and readable(packed)
  if failure then
    redis.call('ZADD', dead_key(queue), failure[5] or now, id)
    did(id, 'stood nowhere and had failed: it is a dead letter again')
  elseif due > now and record[R_ATTEMPTS] == 0 then
    schedule(queue, id, due)
    did(id, 'stood nowhere before its time: it is scheduled again')
  elseif record[R_LOSSES] >= SUSPECT_LOSSES then
    join_suspects(queue, id, place(record[R_PRIORITY], 0), record[R_SINCE])
    did(id, 'stood nowhere after two losses: it runs alone')
  else
    join_line(queue, tenant, id, place(record[R_PRIORITY], 0), record[R_SINCE])
    did(id, 'stood nowhere: it went to the front of its line')
  end
end

local RESTORE = {
  waiting = function(id, queue, tenant)
    if redis.call('ZSCORE', ring_key(queue), tenant) or stands_parked(queue, tenant) then return end
    enter_ring(queue, tenant, 0)
    did(id, tenant .. ' got its turn in ' .. queue .. ' again')
  end,
  held = function(id, queue, tenant)
    if redis.call('ZSCORE', GATES, tenant) then return end
    set_gate(tenant, now, queue)
    did(id, tenant .. ' got a gate again')
  end,
  halted = function(id, queue, _, actor)
    if redis.call('SISMEMBER', PAUSED, 'actor:' .. actor) == 1 or redis.call('HEXISTS', RESUMING, queue) == 1 then return end
    redis.call('HSET', RESUMING, queue, '-inf')
    did(id, 'goes back to its line with the next upkeep, as all of ' .. queue .. ' whose actors are not paused')
  end,
  -- Who replays or discards a dead letter names the moment of its death, so both places must agree on it.
  dead = function(id, _, _, _, died)
    local why = redis.call('HGET', FAILURES, id)
    if why and readable(why) then return end
    redis.call('HSET', FAILURES, id, cmsgpack.pack({'unknown', 'why it failed was lost', '', '', died}))
    did(id, 'says now that why it failed was lost')
  end,
}

-- One that stands in several places keeps the first; a time that has come is no reason to wait.
local function in_order(found)
  for i, where in ipairs(found) do
    if where[1] == 'scheduled' and where[3] <= now and #found > i then
      table.insert(found, table.remove(found, i))
      break
    end
  end
  return found
end

-- Where nobody can read in which queues a tenant is parked, it has a turn in none.
local function drop_parking(tenant)
  local packed = redis.call('HGET', PARKED, tenant)
  if not packed or readable(packed) then return end
  redis.call('HDEL', PARKED, tenant)
  did(tenant, 'is not parked any more: in which queues it was could not be read')
end

local function mend(id, record)
  local queue, tenant = record[R_QUEUE], record[R_TENANT]
  drop_parking(tenant)
  if redis.call('SADD', QUEUES, queue) == 1 then did(id, queue .. ' is among the queues again') end
  local found = in_order(places_of(id, queue, tenant))
  local leased, first = end_leases(id, 1), found[1] and found[1][1]
  if leased and first ~= 'active' then
    redis.call('ZADD', active_key(queue), now, id)
    did(id, 'runs: it is among the active ones again')
    table.insert(found, 1, {'active', active_key(queue), now})
  elseif first == 'active' and not leased then
    remove(id, {table.remove(found, 1)})
  end
  local kept = table.remove(found, 1)
  remove(id, found)
  if not kept then
    send_back(id, record)
  elseif RESTORE[kept[1]] then
    RESTORE[kept[1]](id, queue, tenant, record[R_ACTOR], kept[3])
  end
  if kept and kept[1] ~= 'dead' then redis.call('HDEL', FAILURES, id) end
end

-- Take a job out of the places where it was seen and which are not its own.
local function take_out(id, queue, tenant, record)
  local own = {}
  for _, where in ipairs(record and places_of(id, record[R_QUEUE], record[R_TENANT]) or {}) do own[where[2]] = true end
  for _, where in ipairs(places_of(id, queue, tenant)) do
    if not own[where[2]] then remove(id, {where}) end
  end
end

return answer_once(ARGV[1], function()
  local triples = cmsgpack.unpack(ARGV[2])
  for i = 1, #triples, 3 do
    local id, queue, tenant = triples[i], triples[i + 1], triples[i + 2]
    local record = record_of(id)
    if record == false then
      redis.call('HDEL', JOBS, id)
      did(id, 'had a record that nobody can read: it is gone, and the job with it')
    end
    take_out(id, queue, tenant, record)
    if not record then
      end_leases(id, 0)
      redis.call('HDEL', FAILURES, id)
      redis.call('HDEL', CANCELS, id)
    elseif record[R_FORMAT] == FORMAT then
      mend(id, record)
      fill_lines()  -- so that it stands there when it comes a second time
    end
  end
  return mended
end)
