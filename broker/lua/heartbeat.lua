-- Renew a worker's lease and hear what it vouches for. Leases that it should know of (taken by a
-- fetch whose reply it has received, or by an older one) and does not name are released: a reply
-- that was lost strands nothing.
--
-- include: keys pass_full_memory core memory idempotency suspects charges dead losses waits commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {worker, received, held, facts, queues, memory}; received = number of the last fetch
--          whose reply has arrived; held = {job id, fetch number, ...} flat; facts = {field, value, ...}
--          flat; memory = percent of maxmemory in use, nil if not known
-- Returns {status, cancelled id, ...}: status 'ok' or 'gone' (the worker is not registered).
local now = read_clock()
local worker, received, held, facts, queues, memory = unpack(cmsgpack.unpack(ARGV[1]))
if not redis.call('ZSCORE', WORKERS, worker) then return {'gone'} end
redis.call('ZADD', WORKERS, now + lease_ms, worker)
if #facts > 0 then redis.call('HSET', worker_key(worker), unpack(facts)) end
judge_memory(memory)

local named = {}
for i = 1, #held, 2 do named[held[i]] = held[i + 1] end
local answer = {'ok'}
local leases = redis.call('HGETALL', leases_key(worker))
for i = 1, #leases, 2 do
  local id, lease = leases[i], cmsgpack.unpack(leases[i + 1])
  if lease[L_NUMBER] <= received and named[id] ~= lease[L_NUMBER] then
    give_back(worker, id, lease, 'released', 'unclaimed')
  elseif redis.call('HEXISTS', CANCELS, id) == 1 then
    answer[#answer + 1] = id
  end
end
write_adjustments()
fill_lines()
-- A worker that took the wake token and died left nobody awake; this mends it.
for _, queue in ipairs(queues) do
  if waits(queue) and redis.call('SISMEMBER', PAUSED, 'queue:' .. queue) == 0 then
    touched[queue] = true
  end
  if redis.call('GET', claim_key(queue)) == worker then redis.call('PEXPIRE', claim_key(queue), lease_ms) end
end
commit()
return answer
