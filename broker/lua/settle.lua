-- Settle a batch of runs: the only place where a job is acknowledged, so a crash before it means
-- that the job runs again. Leases end, retries and final failures move, results, events and
-- counts are written, all in one step. An item whose lease is no longer held (the worker was
-- presumed lost) changes nothing and is counted.
--
-- include: keys pass_full_memory record fleet metrics histograms journal lines losses commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {process, batch, items}; batch grows by one with each settle of a process, a
--          repeat of the last batch changes nothing
--          item = {worker, job id, fetch number, kind, ran ms, detail}; ran ms = since the run began
--   kind       detail
--   started    {}                               still running at this batch
--   progress   {fraction, note}
--   completed  {result JSON or '', result key or '', ttl ms}
--   skipped    {result JSON or '', result key or '', ttl ms}
--   cancelled  {}
--   retry      {message index, delay ms, error, traceback}
--   failed     {message index, error, error type, traceback, reason, result JSON or '', result key or '', ttl ms}
--   released   {reason}                         back to the front, no attempt
--   postponed  {message index, delay ms, error} later, no attempt
-- ARGV[1 + index]  the encoded message that an item refers to
-- Returns the number of items whose lease was no longer held.
local now = read_clock()
local request = cmsgpack.unpack(ARGV[1])
local process, batch, items = unpack(request)
local batch_key = ns .. ':settled:' .. process  -- string: number of the process's last batch
if redis.call('GET', batch_key) == tostring(batch) then return 0 end

local ended = {}            -- ids of jobs that are over
local inactive = {}         -- queue -> ids that run no more
local freed = {}            -- worker -> ids whose leases end
local stale = 0

local function append(lists, name, id)
  local list = lists[name]
  if list then list[#list + 1] = id else lists[name] = {id} end
end

local function processed(lease, outcome)
  count('jobs_processed\t' .. lease[L_QUEUE] .. '\t' .. lease[L_ACTOR] .. '\t' .. outcome)
end

local function times(lease, ran, detail)
  detail.started_ms = now - ran
  detail.wait_ms = lease[L_FETCHED] - lease[L_SINCE]
  detail.run_ms = ran
  return detail
end

local function note(item, lease, kind, detail)
  event(kind, item[2], lease[L_TENANT], lease[L_QUEUE], lease[L_ACTOR], lease[L_ATTEMPT], item[1], detail)
end

local function keep_result(json, key, ttl)
  if key ~= '' then redis.call('SET', key, json, 'PX', ttl) end
end

local function over(item, lease, kind)
  local json, key, ttl = unpack(item[6])
  ended[#ended + 1] = item[2]
  keep_result(json or '', key or '', ttl)
  processed(lease, kind)
  if kind ~= 'cancelled' then
    observe('job_run\t' .. lease[L_QUEUE] .. '\t' .. lease[L_ACTOR], item[5])
    count('job_attempts\t' .. lease[L_QUEUE] .. '\t' .. lease[L_ATTEMPT])
  end
  note(item, lease, kind, times(lease, item[5], {result = json or ''}))
end

-- The record of a run that ended its attempt, with the message as the worker left it.
local function next_record(id, lease, index)
  local packed = redis.call('HGET', JOBS, id)
  local record = packed and cmsgpack.unpack(packed)
    or {FORMAT, lease[L_QUEUE], lease[L_TENANT], lease[L_ACTOR], 5, 0, lease[L_SINCE], 0, ''}
  record[R_ATTEMPTS] = lease[L_ATTEMPT]
  record[R_LOSSES] = 0
  record[R_MESSAGE] = ARGV[1 + index]
  return record
end

local function retry(item, lease)
  local index, delay, err, traceback = unpack(item[6])
  local id, queue = item[2], lease[L_QUEUE]
  local record = next_record(id, lease, index)
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  if delay > 0 then
    schedule(queue, id, now + delay)
  else
    join_line(queue, lease[L_TENANT], id, place(record[R_PRIORITY], next_places(1) + 1), now)
  end
  processed(lease, 'retry')
  observe('job_run\t' .. queue .. '\t' .. lease[L_ACTOR], item[5])
  note(item, lease, 'retry', times(lease, item[5], {error = err, traceback = traceback, due_ms = now + delay}))
end

local function failed(item, lease)
  local index, err, kind, traceback, reason, json, key, ttl = unpack(item[6])
  local id, queue = item[2], lease[L_QUEUE]
  local record = next_record(id, lease, index)
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  redis.call('HSET', FAILURES, id, cmsgpack.pack({reason, err, kind, traceback, now}))
  redis.call('ZADD', dead_key(queue), now, id)
  keep_result(json, key, ttl)
  processed(lease, 'failed')
  observe('job_run\t' .. queue .. '\t' .. lease[L_ACTOR], item[5])
  count('job_attempts\t' .. queue .. '\t' .. lease[L_ATTEMPT])
  count('dead_lettered\t' .. queue .. '\t' .. lease[L_ACTOR] .. '\t' .. reason)
  note(item, lease, 'failed', times(lease, item[5], {error = err, error_type = kind, traceback = traceback,
    reason = reason, message = record[R_MESSAGE], priority = record[R_PRIORITY], created_ms = record[R_CREATED]}))
end

local function postponed(item, lease)
  local index, delay, err = unpack(item[6])
  local id = item[2]
  local record = next_record(id, lease, index)
  record[R_ATTEMPTS] = lease[L_ATTEMPT] - 1
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  schedule(lease[L_QUEUE], id, now + delay)
  note(item, lease, 'postponed', {error = err, due_ms = now + delay})
end

local function settle(item, lease)
  local id, kind = item[2], item[4]
  if kind == 'started' then return note(item, lease, 'started', {}) end
  if kind == 'progress' then
    return note(item, lease, 'progress', {fraction = item[6][1], note = item[6][2]})
  end
  if kind == 'released' then return give_back(item[1], id, lease, 'released', item[6][1]) end
  append(freed, item[1], id)
  append(inactive, lease[L_QUEUE], id)
  if kind == 'retry' then retry(item, lease)
  elseif kind == 'failed' then failed(item, lease)
  elseif kind == 'postponed' then postponed(item, lease)
  else over(item, lease, kind) end
end

for _, item in ipairs(items) do
  local packed = redis.call('HGET', leases_key(item[1]), item[2])
  local lease = packed and cmsgpack.unpack(packed)
  if lease and lease[L_NUMBER] == item[3] then
    settle(item, lease)
  else
    stale = stale + 1
  end
end
for worker, ids in pairs(freed) do redis.call('HDEL', leases_key(worker), unpack(ids)) end
for queue, ids in pairs(inactive) do
  redis.call('ZREM', active_key(queue), unpack(ids))
  redis.call('HDEL', CANCELS, unpack(ids))
end
if #ended > 0 then
  redis.call('HDEL', JOBS, unpack(ended))
  local key = ended_key(math.floor(now / 30000))
  redis.call('SADD', key, unpack(ended))
  redis.call('EXPIRE', key, 150)
end
if stale > 0 then count('stale_settles', stale) end
redis.call('SET', batch_key, batch, 'EX', 600)
commit()
return stale
