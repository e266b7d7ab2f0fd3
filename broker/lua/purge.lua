-- Remove waiting and scheduled jobs of a queue, a bounded slice at a time.
--
-- include: keys pass_full_memory record fleet metrics journal waiting lines leave_ring quit_line commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua: a repeat leaves alone what was sent since
-- ARGV[2]  queue
-- ARGV[3]  most jobs to remove in this run
-- Returns the number removed; fewer than asked for means that none is left.
local now = read_clock()
local queue, most = ARGV[2], tonumber(ARGV[3])

local function found()
  local ids = {}
  local function gather(key)
    if #ids >= most then return end
    for _, id in ipairs(redis.call('ZRANGE', key, 0, most - #ids - 1)) do ids[#ids + 1] = id end
  end
  gather(suspects_key(queue))
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, most - 1)) do gather(line_key(queue, tenant)) end
  gather(scheduled_key(queue))
  return ids
end

local function remove(id, record)
  quit_line(queue, record[R_TENANT], id, record[R_SINCE])
  redis.call('HDEL', JOBS, id)
  redis.call('SADD', ended_key(math.floor(now / 30000)), id)
  count('jobs_processed\t' .. queue .. '\t' .. record[R_ACTOR] .. '\tcancelled')
  event('cancelled', id, record[R_TENANT], queue, record[R_ACTOR], record[R_ATTEMPTS], '',
    {started_ms = 0, wait_ms = 0, run_ms = 0, result = ''})
end

-- No record says whose it was: whatever names it goes.
local function remove_ghost(id)
  redis.call('ZREM', suspects_key(queue), id)
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do redis.call('ZREM', line_key(queue, tenant), id) end
end

return answer_once(ARGV[1], function()
  local ids = found()
  for _, id in ipairs(ids) do
    local packed = redis.call('HGET', JOBS, id)
    redis.call('ZREM', scheduled_key(queue), id)
    if packed then remove(id, cmsgpack.unpack(packed)) else remove_ghost(id) end
  end
  redis.call('EXPIRE', ended_key(math.floor(now / 30000)), 150)
  return #ids
end)
