-- Settle a batch of runs: the only place where a job is acknowledged, so a crash before it means
-- that the job runs again. Leases end, retries and final failures move, results, events and
-- counts are written, all in one step. An item whose lease is no longer held (the worker was
-- presumed lost) changes nothing and is counted.
--
-- include: keys pass_full_memory core progress histograms rates accept idempotency means suspects charges dead losses hook_sends groups commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {process, batch, items}; batch grows by one with each settle of a process, a
--          repeat of it, also one that arrives late, changes nothing
--          item = {worker, job id, fetch number, kind, ran ms, detail, sends, group}
--          ran ms = since the run began; sends = what the run's hooks sent, see below;
--          group = {group, ttl ms, sends} or {}: what a completed run counts for, see groups.lua
--   kind       detail
--   started    {}                               still running at this batch
--   progress   {fraction, note}
--   effect     {record as JSON}                 what the run did and its database does not know
--   completed  {result JSON or '', result key or '', ttl ms}
--   skipped    {result JSON or '', result key or '', ttl ms}
--   cancelled  {}
--   retry      {message index, delay ms, error, traceback}
--   failed     {message index, error, error type, traceback, reason, result JSON or '', result key or '', ttl ms}
--   released   {reason}                         back to the front, no attempt
--   postponed  {message index, delay ms, error} later, no attempt; this, released and retry
--              end the job as cancelled when someone cancelled it while it ran
--   send       {message index, id, queue, tenant, actor, priority, delay ms, policy, error}; one with an
--              error becomes a dead letter at once
-- ARGV[1 + index]  the encoded message that an item or a send refers to
-- Returns the number of items whose lease was no longer held.
local now = read_clock()
local request = cmsgpack.unpack(ARGV[1])
local process, batch, items = unpack(request)
local batch_key = ns .. ':settled:' .. process  -- string: number of the process's last batch
if (tonumber(redis.call('GET', batch_key)) or 0) >= batch then return 0 end

local ended = {}            -- ids of jobs that are over
local inactive = {}         -- queue -> ids that run no more
local freed = {}            -- worker -> ids whose leases end
local stale = 0
local done = {}             -- ids whose runs this batch has ended: a second outcome of a run is none

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

-- Bytes of a result that the journal, and so the job log, takes.
local RESULT_MOST = 65536

local function over(item, lease, kind)
  local json, key, ttl = unpack(item[6])
  keep_result(json or '', key or '', ttl)
  if kind == 'cancelled' then
    free_key(lease[L_TENANT], lease[L_ACTOR], lease[L_KEY] or '', item[2])
  elseif (lease[L_KEY_TTL] or 0) > 0 then
    keep_key(lease[L_TENANT], lease[L_ACTOR], lease[L_KEY], lease[L_KEY_TTL])
  end
  ended[#ended + 1] = item[2]
  processed(lease, kind)
  owe(lease[L_TENANT], -1)
  if kind ~= 'cancelled' then
    observe('job_run\t' .. lease[L_QUEUE] .. '\t' .. lease[L_ACTOR], item[5])
    count('job_attempts\t' .. lease[L_QUEUE] .. '\t' .. lease[L_ATTEMPT])
  end
  local told = json or ''
  if #told > RESULT_MOST then told = '{"omitted":"a result of ' .. #told .. ' bytes"}' end
  note(item, lease, kind, times(lease, item[5], {result = told}))
end

-- The record of a run that ended its attempt, with the message as the worker left it; as it came without an index.
local function next_record(id, lease, index)
  local packed = redis.call('HGET', JOBS, id)
  local record = packed and cmsgpack.unpack(packed)
    or {FORMAT, lease[L_QUEUE], lease[L_TENANT], lease[L_ACTOR], 5, 0, lease[L_SINCE], 0, '', '', now}
  record[R_ATTEMPTS] = lease[L_ATTEMPT]
  record[R_LOSSES] = 0
  if index then record[R_MESSAGE] = ARGV[1 + index] end
  record[R_SINCE] = now
  if record[R_POSTPONED] then record[R_POSTPONED] = 0 end
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
    join_line(queue, lease[L_TENANT], id, place(record[R_PRIORITY], next_place()), now)
  end
  processed(lease, 'retry')
  observe('job_run\t' .. queue .. '\t' .. lease[L_ACTOR], item[5])
  note(item, lease, 'retry', times(lease, item[5], {error = err, traceback = traceback, due_ms = now + delay}))
end

local function failed(item, lease)
  local index, err, kind, traceback, reason, json, key, ttl = unpack(item[6])
  local id, queue = item[2], lease[L_QUEUE]
  local record = next_record(id, lease, index)
  local because = {reason, err, kind, traceback}
  keep_result(json, key, ttl)
  bury(id, record, because)
  processed(lease, 'failed')
  observe('job_run\t' .. queue .. '\t' .. lease[L_ACTOR], item[5])
  count('job_attempts\t' .. queue .. '\t' .. lease[L_ATTEMPT])
  note_failed(id, record, because, lease[L_ATTEMPT], item[1], times(lease, item[5], {}))
end

local function postponed(item, lease)
  local index, delay, err = unpack(item[6])
  local id = item[2]
  local record = next_record(id, lease, index)
  record[R_ATTEMPTS] = lease[L_ATTEMPT] - 1
  -- An array that is packed has no holes.
  record[R_KEY_TTL], record[R_DUE], record[R_POSTPONED] = record[R_KEY_TTL] or 0, record[R_DUE] or 0, 1
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  schedule(lease[L_QUEUE], id, now + delay)
  note(item, lease, 'postponed', {error = err, due_ms = now + delay})
end

local written  -- id of the job whose outcome was written last

local function settle(item, lease)
  local id, kind = item[2], item[4]
  if kind == 'started' then return note(item, lease, 'started', {}) end
  if kind == 'progress' then
    keep_progress(item[1], id, lease, item[6][1], item[6][2])
    return note(item, lease, 'progress', {fraction = item[6][1], note = item[6][2]})
  end
  if kind == 'effect' then return note(item, lease, 'effect', {record = item[6][1]}) end
  if kind == 'released' then
    return give_back(item[1], id, lease, 'released', item[6][1], item[5] > 0 and now - item[5] or nil)
  end
  done[id] = true
  append(freed, item[1], id)
  append(inactive, lease[L_QUEUE], id)
  take_slots(lease[L_TENANT], -1)
  adjust(lease[L_QUEUE], lease[L_TENANT], math.max(item[5], LEAST_CHARGE) - lease[L_CHARGE])
  learn(lease[L_ACTOR], item[5])
  learn('\t' .. lease[L_QUEUE], item[5])
  -- Who cancelled it does not want another run; one that came to its end has its own outcome.
  if take_cancel(id) and (kind == 'retry' or kind == 'postponed') then kind, item[6] = 'cancelled', {} end
  if kind == 'retry' then retry(item, lease)
  elseif kind == 'failed' then failed(item, lease)
  elseif kind == 'postponed' then postponed(item, lease)
  else over(item, lease, kind) end
  written = id
  for _, row in ipairs(item[7] or {}) do send_or_bury(row, ARGV[1 + row[1]]) end
  if item[8] and item[8][1] and kind == 'completed' then complete_member(id, item[8]) end
end

-- Redis does not take back what a script did before it failed, so no item may end the script for the others: a job
-- whose outcome cannot be written (the key that it needs was damaged, say) becomes a dead letter. News are left out.
local function settle_or_bury(item, lease)
  local fine, fault = pcall(settle, item, lease)
  local id, kind = item[2], item[4]
  if fine or written == id or not (done[id] or kind == 'released') then return end
  local record = next_record(id, lease)
  local because = {'unhandled', 'its outcome (' .. kind .. ') could not be written: ' .. text_of(fault), '', ''}
  bury(id, record, because)
  processed(lease, 'failed')
  note_failed(id, record, because, lease[L_ATTEMPT], item[1], times(lease, item[5], {}))
end

for _, item in ipairs(items) do
  local packed = redis.call('HGET', leases_key(item[1]), item[2])
  local lease = packed and cmsgpack.unpack(packed)
  if lease and lease[L_NUMBER] == item[3] and not done[item[2]] then
    settle_or_bury(item, lease)
  else
    stale = stale + 1
  end
end
for queue, ids in pairs(inactive) do redis.call('ZREM', active_key(queue), unpack(ids)) end
for worker, ids in pairs(freed) do redis.call('HDEL', leases_key(worker), unpack(ids)) end
if #ended > 0 then
  redis.call('HDEL', JOBS, unpack(ended))
  remember_ended(ended)
end
if stale > 0 then count('stale_settles', stale) end
redis.call('SET', batch_key, batch, 'EX', 600)
write_means()
write_adjustments()
commit()
return stale
