-- What tenants have waiting and running, read at one moment.
--
-- include: keys fleet limits record oldest_in_line
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed list of tenants
-- Returns packed {now, {waiting, running, held, is parked, oldest, plan, weight, concurrency, paused}, ...};
--   waiting = in its lines; oldest = since when the oldest of them could run, ms, 0 when none waits;
--   a tenant without limits has the plan '' and a concurrency of 0.
local now = read_clock()

local queues = redis.call('SMEMBERS', QUEUES)

local function load_of(tenant)
  local waiting, oldest = 0, now
  for _, queue in ipairs(queues) do
    local line = line_key(queue, tenant)
    local jobs = redis.call('ZCARD', line)
    if jobs > 0 then
      waiting = waiting + jobs
      oldest = oldest_in_line(line, oldest)
    end
  end
  local limits = limits_of(tenant) or {'', 0, 0, 1, 0, 0}
  return {waiting, tonumber(redis.call('HGET', RUNNING, tenant) or 0), redis.call('ZCARD', held_key(tenant)),
    redis.call('HEXISTS', PARKED, tenant), waiting > 0 and oldest or 0,
    limits[T_PLAN], limits[T_WEIGHT], limits[T_CONCURRENCY], limits[T_PAUSED] or 0}
end

local answer = {now}
for _, tenant in ipairs(cmsgpack.unpack(ARGV[1])) do answer[#answer + 1] = load_of(tenant) end
return cmsgpack.pack(answer)
