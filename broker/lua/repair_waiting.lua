-- Count anew how many jobs of a queue wait, and since when. It reads the record of each, some 3 ms for a thousand,
-- in one run: counts are true of one moment only, and there are jobs to count whenever they are wrong.
--
-- include: keys pass_full_memory core readable conservation tallies commit answers
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  id of the request, see answers.lua
-- ARGV[2]  queue
-- Returns how many wait.
local now = read_clock()

local function count_seconds(queue)
  local seconds = {}
  local function note(record)
    local second = string.format('%d', math.floor(record[R_SINCE] / 1000))
    seconds[second] = (seconds[second] or 0) + 1
  end
  local all = each_record(suspects_key(queue), note) + each_record(halted_key(queue), note)
  for _, tenant in ipairs(redis.call('ZRANGE', ring_key(queue), 0, -1)) do
    all = all + each_record(line_key(queue, tenant), note)
  end
  for _, tenant in ipairs(parked_tenants()[queue] or {}) do all = all + each_record(line_key(queue, tenant), note) end
  return seconds, all
end

return answer_once(ARGV[1], function()
  local queue = ARGV[2]
  local seconds, all = count_seconds(queue)
  redis.call('DEL', waiting_key(queue), oldest_key(queue))
  for second, n in pairs(seconds) do
    redis.call('HSET', waiting_key(queue), second, n)
    redis.call('ZADD', oldest_key(queue), second, second)
  end
  if all > 0 then redis.call('HSET', waiting_key(queue), 'n', all) end
  return all
end)
