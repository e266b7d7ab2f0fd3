-- Let a job that waits for its time run now: it goes to the end of its line. What its tenant's rate holds stays
-- held, for limits are exact; only its own delay, if it has one, is dropped.
--
-- include: keys pass_full_memory core commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  job id
-- Returns 'ready' (it was scheduled), 'held', 'waiting', 'active', 'dead' or 'unknown'.
local now = read_clock()

local function keep(id, record) redis.call('HSET', JOBS, id, cmsgpack.pack(record)) end

local function run_scheduled(id, record, due)
  local queue = record[R_QUEUE]
  redis.call('ZREM', scheduled_key(queue), id)
  record[R_SINCE] = math.min(now, tonumber(due))
  keep(id, record)
  join_line(queue, record[R_TENANT], id, place(record[R_PRIORITY], next_place()), record[R_SINCE])
  return 'ready'
end

local function drop_delay(id, record)
  if (record[R_DUE] or 0) > 0 then
    record[R_DUE] = 0
    keep(id, record)
  end
  return 'held'
end

local function run_now(id)
  local packed = redis.call('HGET', JOBS, id)
  if not packed then return 'unknown' end
  local record = cmsgpack.unpack(packed)
  local queue, tenant = record[R_QUEUE], record[R_TENANT]
  local function is_in(key) return redis.call('ZSCORE', key, id) end
  local due = is_in(scheduled_key(queue))
  if due then return run_scheduled(id, record, due) end
  if is_in(held_key(tenant)) then return drop_delay(id, record) end
  if is_in(active_key(queue)) then return 'active' end
  if is_in(dead_key(queue)) then return 'dead' end
  return 'waiting'
end

return answer_once(ARGV[1], function() return run_now(ARGV[2]) end)
