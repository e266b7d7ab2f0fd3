-- Tenant lines and their fair order: start-time fair queueing (Goyal, Vin and Cheng, 1996).
-- Each tenant has a line per queue (priority first, then arrival). The ring holds the tenants with
-- waiting jobs by the virtual time at which their next job starts; the lowest goes first and moves
-- on by charge / weight. A tenant that returns starts at the queue's virtual time, or at its own tag
-- if that is later: no credit for having been idle, and what it has used stays used.
local PRIORITY_STEP = 2 ^ 48  -- places in a line: priority * 2^48 + arrival fits a double exactly
local CHARGE = 1              -- virtual service per start
local touched = {}            -- queues that got something to run

local function next_places(n) return redis.call('INCRBY', SEQUENCE, n) - n end

local function place(priority, arrival) return priority * PRIORITY_STEP + arrival end

local function weight_of(tenant) return tonumber(redis.call('HGET', WEIGHTS, tenant) or 1) end

-- Put a tenant that has waiting jobs into the ring of a queue.
local function enter_ring(queue, tenant)
  local ring = ring_key(queue)
  if redis.call('ZSCORE', ring, tenant) then return end
  local tag = tonumber(redis.call('HGET', VTIME, queue) or 0)
  local own = redis.call('ZSCORE', tags_key(queue), tenant)
  if own then
    tag = math.max(tag, tonumber(own))
    redis.call('ZREM', tags_key(queue), tenant)
  end
  redis.call('ZADD', ring, tag, tenant)
end

-- Take a tenant whose line is empty out of the ring; its tag stays until virtual time has passed it.
local function leave_ring(queue, tenant, tag)
  redis.call('ZREM', ring_key(queue), tenant)
  redis.call('ZADD', tags_key(queue), tag, tenant)
end

-- Put a job into its tenant's line: at `spot`, able to run since `since`.
local function join_line(queue, tenant, id, spot, since)
  redis.call('ZADD', line_key(queue, tenant), spot, id)
  redis.call('ZADD', waiting_key(queue), since, id)
  enter_ring(queue, tenant)
  touched[queue] = true
end

-- Take a waiting job out of its line, for a cancel or a purge.
local function quit_line(queue, tenant, id)
  redis.call('ZREM', waiting_key(queue), id)
  redis.call('ZREM', line_key(queue, tenant), id)
  if redis.call('EXISTS', line_key(queue, tenant)) == 0 then
    local tag = redis.call('ZSCORE', ring_key(queue), tenant)
    if tag then leave_ring(queue, tenant, tag) end
  end
end

-- Put a job among the scheduled; a new earliest one wakes a worker, which then knows when to look.
local function schedule(queue, id, due)
  redis.call('ZADD', scheduled_key(queue), due, id)
  if redis.call('ZRANGE', scheduled_key(queue), 0, 0)[1] == id then touched[queue] = true end
end

-- Leave one token for an idle worker. Workers block on it, so nobody polls.
local function wake(queue)
  if redis.call('LLEN', wake_key(queue)) == 0 then redis.call('LPUSH', wake_key(queue), 1) end
end

local function wake_touched()
  for queue in pairs(touched) do wake(queue) end
end

-- Scheduled jobs that are due go to the end of their lines, at most `limit` in one run.
local function promote(queue, limit)
  local due = redis.call('ZRANGEBYSCORE', scheduled_key(queue), '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
  if #due == 0 then return end
  local ids = {}
  for i = 1, #due, 2 do ids[#ids + 1] = due[i] end
  local records = redis.call('HMGET', JOBS, unpack(ids))
  local first = next_places(#ids)
  for i, id in ipairs(ids) do
    if records[i] then
      local record = cmsgpack.unpack(records[i])
      join_line(queue, record[R_TENANT], id, place(record[R_PRIORITY], first + i), due[2 * i])
    end
  end
  redis.call('ZREM', scheduled_key(queue), unpack(ids))
end
