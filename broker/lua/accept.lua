-- Store one job: its record, its place, its event. Returns false when its id is known already.
local function accept(id, queue, tenant, actor, priority, delay, key, message)
  local record = {FORMAT, queue, tenant, actor, priority, 0, now, 0, key, message, now}
  if redis.call('HSETNX', JOBS, id, cmsgpack.pack(record)) == 0 then return false end
  local due = 0
  if delay > 0 then
    due = now + delay
    schedule(queue, id, due)
  else
    join_line(queue, tenant, id, place(priority, next_place()), now)
  end
  event('enqueued', id, tenant, queue, actor, 0, '', {priority = priority, message = message, due_ms = due, key = key})
  count('jobs_enqueued\t' .. queue .. '\t' .. actor)
  return true
end
