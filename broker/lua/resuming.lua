-- Jobs that were put aside while their actor was paused go back to their places in their lines, a slice in each
-- run. The place up to which they were looked at is kept, so it goes on whatever becomes of who resumed the actor.
local RESUMED_MOST = 500

local halted_actors = {}  -- actor -> true while it is paused
local function is_actor_paused(actor)
  if halted_actors[actor] == nil then halted_actors[actor] = redis.call('SISMEMBER', PAUSED, 'actor:' .. actor) == 1 end
  return halted_actors[actor]
end

local function rejoin_line(queue, id, spot, packed)
  local record = packed and cmsgpack.unpack(packed)
  if not record or is_actor_paused(record[R_ACTOR]) then return end
  redis.call('ZREM', halted_key(queue), id)
  -- It was counted as waiting all the time.
  count_waiting(queue, record[R_SINCE], -1)
  join_line(queue, record[R_TENANT], id, tonumber(spot), record[R_SINCE])
end

local function resume_slice(queue, from)
  local halted = redis.call('ZRANGEBYSCORE', halted_key(queue), from, '+inf', 'WITHSCORES', 'LIMIT', 0, RESUMED_MOST)
  local ids = {}
  for i = 1, #halted, 2 do ids[#ids + 1] = halted[i] end
  local records = #ids > 0 and redis.call('HMGET', JOBS, unpack(ids)) or {}
  for i, id in ipairs(ids) do rejoin_line(queue, id, halted[2 * i], records[i]) end
  if #ids < RESUMED_MOST then
    redis.call('HDEL', RESUMING, queue)
  else
    redis.call('HSET', RESUMING, queue, '(' .. halted[#halted])
  end
end

local function resume_halted()
  local queues = redis.call('HGETALL', RESUMING)
  for i = 1, #queues, 2 do resume_slice(queues[i], queues[i + 1]) end
end
