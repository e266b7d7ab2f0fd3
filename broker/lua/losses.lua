-- Leases that end without an outcome: the job goes back to the front of its tenant's line, unless
-- someone cancelled it while it ran.

-- Take the mark of a cancel off a job whose run ends; true when there was one. Marks are rare, so most
-- scripts ask no more than whether there are any at all.
local any_cancels
local function take_cancel(id)
  if any_cancels == nil then any_cancels = redis.call('EXISTS', CANCELS) == 1 end
  return any_cancels and redis.call('HDEL', CANCELS, id) == 1
end

-- A cancelled job does not run again: it is over with the run that was cut short.
local function end_cancelled(worker, id, lease, began)
  local queue, actor = lease[L_QUEUE], lease[L_ACTOR]
  local detail = {started_ms = 0, wait_ms = 0, run_ms = 0, result = ''}
  if began then
    detail.started_ms, detail.wait_ms, detail.run_ms = began, lease[L_FETCHED] - lease[L_SINCE], now - began
  end
  redis.call('HDEL', JOBS, id)
  remember_ended({id})
  owe(lease[L_TENANT], -1)
  free_key(lease[L_TENANT], actor, lease[L_KEY] or '', id)
  count('jobs_processed\t' .. queue .. '\t' .. actor .. '\tcancelled')
  event('cancelled', id, lease[L_TENANT], queue, actor, lease[L_ATTEMPT], worker, detail)
end

-- A suspect was alone in the process that was lost: it is what kills its workers.
local function convict(worker, id, lease, record)
  local because = {'worker_lost', 'its worker was lost ' .. record[R_LOSSES] .. ' times, the last time while it ran alone', '', ''}
  record[R_ATTEMPTS] = lease[L_ATTEMPT]
  bury(id, record, because)
  note_failed(id, record, because, lease[L_ATTEMPT], worker,
    {started_ms = lease[L_FETCHED], wait_ms = lease[L_FETCHED] - lease[L_SINCE], run_ms = now - lease[L_FETCHED]})
end

-- Give one lease back. kind is 'lost' or 'released'; only a loss is held against the job. began = when
-- its run began, where that is known: a run that was cut short is told of, one that never was is not.
local function give_back(worker, id, lease, kind, reason, began)
  local queue, tenant = lease[L_QUEUE], lease[L_TENANT]
  redis.call('HDEL', leases_key(worker), id)
  redis.call('ZREM', active_key(queue), id)
  local cancelled = take_cancel(id)
  take_slots(tenant, -1)
  charge_back(lease)
  local packed = redis.call('HGET', JOBS, id)
  if not packed then return end
  if cancelled then return end_cancelled(worker, id, lease, began or kind == 'lost' and lease[L_FETCHED]) end
  local record = cmsgpack.unpack(packed)
  if kind == 'lost' then
    record[R_LOSSES] = record[R_LOSSES] + 1
    count('jobs_processed\t' .. queue .. '\t' .. lease[L_ACTOR] .. '\tlost')
    if lease[L_ALONE] == 1 then return convict(worker, id, lease, record) end
    redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  end
  if record[R_LOSSES] >= SUSPECT_LOSSES then
    join_suspects(queue, id, lease[L_PLACE], lease[L_SINCE])
  else
    join_line(queue, tenant, id, lease[L_PLACE], lease[L_SINCE])
  end
  event(kind, id, tenant, queue, lease[L_ACTOR], lease[L_ATTEMPT], worker, {reason = reason, started_ms = began})
end

local function give_back_all(worker, kind, reason)
  local held = redis.call('HGETALL', leases_key(worker))
  for i = 1, #held, 2 do give_back(worker, held[i], cmsgpack.unpack(held[i + 1]), kind, reason) end
  local host = redis.call('HGET', worker_key(worker), 'host_id')
  if host then redis.call('SREM', host_key(host), worker) end
  redis.call('DEL', leases_key(worker), worker_key(worker))
  redis.call('ZREM', WORKERS, worker)
end

-- Take back what lost workers held: whoever missed its lease, except while the grace lasts.
-- At most a few in one run, so that no script runs long.
local function take_back()
  if now < grace_until then return end
  local lost = redis.call('ZRANGEBYSCORE', WORKERS, '-inf', now, 'LIMIT', 0, 4)
  for _, worker in ipairs(lost) do
    give_back_all(worker, 'lost', 'lease ended')
    count('workers_lost')
  end
end

-- Milliseconds until a worker may be declared lost, or nil when there is none.
local function next_loss()
  local first = redis.call('ZRANGE', WORKERS, 0, 0, 'WITHSCORES')
  if first[1] then return math.max(tonumber(first[2]), grace_until) - now + 1 end
end
