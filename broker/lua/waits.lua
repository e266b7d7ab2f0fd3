-- Whether anything waits in a queue, in line or as a suspect.
local function waits(queue)
  return redis.call('EXISTS', ring_key(queue), suspects_key(queue)) > 0
end
