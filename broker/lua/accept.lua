-- Store one job: its record, its place, its event.

-- Returns false when its id is known already. ttl = ms for which its key is remembered once it has
-- completed, or nil.
local function store_record(id, queue, tenant, actor, priority, delay, key, message, ttl)
  local record = {FORMAT, queue, tenant, actor, priority, 0, now, 0, key, message, now}
  if ttl then
    record[R_KEY_TTL] = ttl
    record[R_DUE] = delay > 0 and now + delay or 0
  end
  return redis.call('HSETNX', JOBS, id, cmsgpack.pack(record)) == 1
end

-- moment = when its tenant's rate lets it in, where that is later than now (for scripts that know rates).
local function take_place(id, queue, tenant, actor, priority, delay, key, message, moment)
  local due = delay > 0 and now + delay or 0
  if moment then
    due = math.max(due, moment)
    hold(queue, tenant, id, moment)
  elseif due > 0 then
    schedule(queue, id, due)
  else
    join_line(queue, tenant, id, place(priority, next_place()), now)
  end
  owe(tenant, 1)
  event('enqueued', id, tenant, queue, actor, 0, '', {priority = priority, message = message, due_ms = due, key = key})
  count('jobs_enqueued\t' .. queue .. '\t' .. actor)
end

-- Both; returns false when the id is known already.
local function accept(id, queue, tenant, actor, priority, delay, key, message, ttl)
  if not store_record(id, queue, tenant, actor, priority, delay, key, message, ttl) then return false end
  take_place(id, queue, tenant, actor, priority, delay, key, message)
  return true
end
