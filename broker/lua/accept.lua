-- Store one job: its record, its place, its event. Returns false when its id is known already.
-- ttl = ms for which its key is remembered once it has completed, or nil; moment = when its tenant's
-- rate lets it in, where that is later than now, and rate = that rate (for scripts that know rates).
local function accept(id, queue, tenant, actor, priority, delay, key, message, ttl, rate, moment)
  local record = {FORMAT, queue, tenant, actor, priority, 0, now, 0, key, message, now}
  local due = delay > 0 and now + delay or 0
  if ttl or moment then
    record[R_KEY_TTL] = ttl or 0
    record[R_DUE] = due
  end
  if redis.call('HSETNX', JOBS, id, cmsgpack.pack(record)) == 0 then return false end
  if moment then
    due = math.max(due, hold(queue, tenant, id, rate, moment))
  elseif due > 0 then
    schedule(queue, id, due)
  else
    join_line(queue, tenant, id, place(priority, next_place()), now)
  end
  owe(tenant, 1)
  event('enqueued', id, tenant, queue, actor, 0, '', {priority = priority, message = message, due_ms = due, key = key})
  count('jobs_enqueued\t' .. queue .. '\t' .. actor)
  return true
end
