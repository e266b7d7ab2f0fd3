-- What a run's hooks send, in the settle of that run; a row is a `send` of settle.lua.

-- The key of what a hook sends: it is neither limited nor refused, but a duplicate is not sent again.
-- Returns key, its ttl and an error or ''; without an error there is nothing to send.
local function take_key(row, policy, err)
  if policy == '' then return '', nil, err end
  local id, queue, tenant, actor = row[2], row[3], row[4], row[5]
  local _, _, key, digest, ttl = unpack(cmsgpack.unpack(policy))
  if ttl == 0 or err ~= '' then return key, nil, err end
  local name = key_name(tenant, actor, key)
  local sent = sent_under(name)
  if sent and sent[2] == digest then
    count('duplicates\t' .. queue)
    return key, nil, nil
  end
  if sent then return key, nil, 'the idempotency_key belongs to job ' .. sent[1] .. ', which has another payload' end
  redis.call('SET', name, cmsgpack.pack({id, digest}))
  return key, ttl, ''
end

local function send(row, message)
  local _, id, queue, tenant, actor, priority, delay, policy, err = unpack(row)
  if redis.call('HEXISTS', JOBS, id) == 1 then return end
  local key, ttl
  key, ttl, err = take_key(row, policy, err)
  if not err then return end
  if err == '' then
    accept(id, queue, tenant, actor, priority, delay, key, message, ttl)
    return
  end
  local record = {FORMAT, queue, tenant, actor, priority, 0, now, 0, key, message, now}
  local because = {'invalid', err, 'InvalidPayload', ''}
  event('enqueued', id, tenant, queue, actor, 0, '', {priority = priority, message = message, due_ms = 0, key = key})
  count('jobs_enqueued\t' .. queue .. '\t' .. actor)
  owe(tenant, 1)
  bury(id, record, because)
  note_failed(id, record, because, 0, '', {started_ms = 0, wait_ms = 0, run_ms = 0})
end

-- What an error says; Redis 7 and Valkey raise tables.
local function text_of(fault) return type(fault) == 'table' and fault.err or tostring(fault) end

-- Send; where that fails, at a key that was damaged, say, it is a dead letter: the outcome of its run is written.
local function send_or_bury(row, message)
  local fine, fault = pcall(send, row, message)
  if fine then return end
  row[8], row[9] = '', text_of(fault)
  send(row, message)
end
