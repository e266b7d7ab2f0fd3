-- Remove waiting, held and scheduled jobs of a queue, a bounded slice at a time.
--
-- include: keys pass_full_memory core rates quit_line idempotency cancel_waiting answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua: a repeat leaves alone what was sent since
-- ARGV[2]  queue
-- ARGV[3]  most jobs to remove in this run
-- Returns the number removed; fewer than asked for means that none is left.
local now = read_clock()
local queue, most = ARGV[2], tonumber(ARGV[3])

-- Tenants whose lines stand apart because they have no free slot.
local function parked_in(name)
  local tenants = {}
  local lists = redis.call('HGETALL', PARKED)
  for i = 1, #lists, 2 do
    for _, parked_queue in ipairs(cmsgpack.unpack(lists[i + 1])) do
      if parked_queue == name then tenants[#tenants + 1] = lists[i] end
    end
  end
  return tenants
end

local function found()
  local ids = {}
  local function gather(key)
    if #ids >= most then return end
    for _, id in ipairs(redis.call('ZRANGE', key, 0, most - #ids - 1)) do ids[#ids + 1] = id end
  end
  local function gather_held()
    for _, tenant in ipairs(redis.call('ZRANGE', GATES, 0, -1)) do
      for _, id in ipairs(#ids < most and redis.call('ZRANGE', held_key(tenant), 0, -1) or {}) do
        local packed = #ids < most and redis.call('HGET', JOBS, id)
        if packed and cmsgpack.unpack(packed)[R_QUEUE] == queue then ids[#ids + 1] = id end
      end
    end
  end
  gather(suspects_key(queue))
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, most - 1)) do gather(line_key(queue, tenant)) end
  for _, tenant in ipairs(parked_in(queue)) do gather(line_key(queue, tenant)) end
  gather(halted_key(queue))
  gather(scheduled_key(queue))
  gather_held()
  return ids
end

-- No record says whose it was: whatever names it goes.
local function remove_ghost(id)
  for _, key in ipairs({scheduled_key(queue), suspects_key(queue), halted_key(queue)}) do redis.call('ZREM', key, id) end
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do redis.call('ZREM', line_key(queue, tenant), id) end
end

return answer_once(ARGV[1], function()
  local ids = found()
  for _, id in ipairs(ids) do
    local packed = redis.call('HGET', JOBS, id)
    if packed then cancel_waiting(id, cmsgpack.unpack(packed)) else remove_ghost(id) end
  end
  return #ids
end)
