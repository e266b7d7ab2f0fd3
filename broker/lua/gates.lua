-- Open the gates whose moment has come: held jobs go to their lines, or to the scheduled ones when a
-- delay of their own is longer.
local function let_in(tenant)
  local id = redis.call('ZPOPMIN', held_key(tenant))[1]
  local packed = redis.call('HGET', JOBS, id)
  if not packed then return end
  local limits = limits_of(tenant)
  if limits then note_admission(tenant, limits[T_RATE]) end
  local record = cmsgpack.unpack(packed)
  local queue, due = record[R_QUEUE], record[R_DUE] or 0
  redis.call('HINCRBY', HELD, queue, -1)
  -- It waits from now on: its tenant's own limit is not the fleet's failure.
  record[R_SINCE] = now
  redis.call('HSET', JOBS, id, cmsgpack.pack(record))
  if due > now then
    schedule(queue, id, due)
  else
    join_line(queue, tenant, id, place(record[R_PRIORITY], next_place()), now)
  end
end

-- The gate of what is left. Who sleeps knows of later moments only, so a gate that opens earlier than it would have
-- wakes a worker of the first job's queue.
local function move_gate(tenant, moment, before)
  local packed = moment < before and redis.call('HGET', JOBS, redis.call('ZRANGE', held_key(tenant), 0, 0)[1])
  if packed then
    set_gate(tenant, moment, cmsgpack.unpack(packed)[R_QUEUE])
  else
    redis.call('ZADD', GATES, moment, tenant)
  end
end

-- Let in what may come, at most `most` jobs of one tenant; whatever is left has its gate.
local function open_gate(tenant, most)
  local limits, moment = limits_of(tenant), now
  local before = tonumber(redis.call('ZSCORE', GATES, tenant) or 0)
  for n = 0, most do
    if redis.call('EXISTS', held_key(tenant)) == 0 then
      redis.call('ZREM', GATES, tenant)
      return
    end
    moment = limits and free_moment(tenant, limits[T_RATE], 0) or now
    if moment > now or n == most then break end
    let_in(tenant)
  end
  move_gate(tenant, moment, before)
end

local function next_gate() return tonumber(redis.call('ZRANGE', GATES, 0, 0, 'WITHSCORES')[2]) end

-- Returns when the next gate opens, or nil.
local function open_gates()
  local moment = next_gate()
  if not moment or moment > now then return moment end
  for _, tenant in ipairs(redis.call('ZRANGEBYSCORE', GATES, '-inf', now, 'LIMIT', 0, 20)) do open_gate(tenant, 50) end
  return next_gate()
end
