-- A record becomes a dead letter; `because` = {reason, error, error type, traceback}.
local function bury(id, record, because)
  local queue, actor, reason = record[R_QUEUE], record[R_ACTOR], because[1]
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  redis.call('HSET', FAILURES, id, cmsgpack.pack({reason, because[2], because[3], because[4], now}))
  redis.call('ZADD', dead_key(queue), now, id)
  redis.call('SADD', QUEUES, queue)
  owe(record[R_TENANT], -1)
  count('dead_lettered\t' .. queue .. '\t' .. actor .. '\t' .. reason)
end

-- What the journal says of it; times = {started_ms, wait_ms, run_ms}.
local function note_failed(id, record, because, attempt, worker, times)
  times.error, times.error_type, times.traceback, times.reason = because[2], because[3], because[4], because[1]
  times.message, times.priority, times.created_ms = record[R_MESSAGE], record[R_PRIORITY], record[R_CREATED]
  event('failed', id, record[R_TENANT], record[R_QUEUE], record[R_ACTOR], attempt, worker, times)
end
