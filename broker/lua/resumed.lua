-- When an operator let a queue or an actor go on: what its jobs waited before that is not the fleet's failure.
-- Moments of more than a day ago are forgotten: what has waited that long since is late in any case.
local RESUMED_MS = 86400000

local function note_resumed(name)
  local moments = redis.call('HGETALL', RESUMED)
  for i = 1, #moments, 2 do
    if (tonumber(moments[i + 1]) or 0) < now - RESUMED_MS then redis.call('HDEL', RESUMED, moments[i]) end
  end
  redis.call('HSET', RESUMED, name, now)
end

local resumed  -- 'queue:email' or 'actor:send_email' -> when it went on, ms
local function resumed_since(queue, actor)
  if not resumed then
    resumed = {}
    local moments = redis.call('HGETALL', RESUMED)
    for i = 1, #moments, 2 do resumed[moments[i]] = tonumber(moments[i + 1]) end
  end
  return math.max(resumed['queue:' .. queue] or 0, resumed['actor:' .. actor] or 0)
end
