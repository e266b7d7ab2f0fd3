-- Cancel those of the given jobs that match filters: each is looked at again here, in the step that ends it,
-- for it may have moved on since it was found.
--
-- include: keys pass_full_memory core rates quit_line idempotency cancel_waiting commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua; '' only looks
-- ARGV[2]  packed {until, queue, tenant, actor, states, ids}: sent at `until` (ms; 0 is now) or before; ''
--          for any queue, tenant or actor; states = {pending = 1, ...}, of pending, scheduled (also held) and active
-- Returns {now, state of each job that matched, '' of each that did not}; waiting ones are over, active
-- ones are marked, and their workers told by the next heartbeat.
local now = read_clock()
local newest, queue, tenant, actor, states, ids = unpack(cmsgpack.unpack(ARGV[2]))
if newest == 0 then newest = now end

local function matches(record)
  return record[R_CREATED] <= newest
    and (queue == '' or record[R_QUEUE] == queue)
    and (tenant == '' or record[R_TENANT] == tenant)
    and (actor == '' or record[R_ACTOR] == actor)
end

local function state_of(id, record)
  local function is_in(key) return redis.call('ZSCORE', key, id) end
  local name = record[R_QUEUE]
  if is_in(line_key(name, record[R_TENANT])) then return 'pending' end
  if is_in(scheduled_key(name)) then return 'scheduled' end
  if is_in(active_key(name)) then return 'active' end
  if is_in(held_key(record[R_TENANT])) then return 'scheduled' end
  if is_in(suspects_key(name)) or is_in(halted_key(name)) then return 'pending' end
  return ''
end

local function matched_state(id, record)
  local state = matches(record) and state_of(id, record) or ''
  return states[state] and state or ''
end

local function each(act)
  local found = {now}
  for i, packed in ipairs(redis.call('HMGET', JOBS, unpack(ids))) do
    local record = packed and cmsgpack.unpack(packed)
    local state = record and matched_state(ids[i], record) or ''
    if state ~= '' then act(ids[i], record, state) end
    found[#found + 1] = state
  end
  return found
end

local function cancel(id, record, state)
  if state == 'active' then
    redis.call('HSET', CANCELS, id, 1)
  else
    cancel_waiting(id, record)
  end
end

if ARGV[1] == '' then return each(function() end) end
return answer_once(ARGV[1], function() return each(cancel) end)
