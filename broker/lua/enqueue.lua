-- Accept jobs: one round trip, all or nothing for each job.
--
-- include: keys record fleet memory metrics journal waiting lines accept commit
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  journal_max
-- then for each job: id, queue, tenant, actor, priority, delay ms, key, encoded message. Plain
--          arguments, not packed ones: unpacking them was 4 of 45 microseconds of a single send.
-- Returns one number per job: 1 accepted, 2 known already (a repeat of the same send changes
-- nothing; an id is remembered until at least 60 s after its job has ended), 3 journal at its cap,
-- 4 the server's memory is nearly used up.
local PARTS = 8
local now = read_clock()
local journal_max = tonumber(ARGV[1])
local n = (#ARGV - 1) / PARTS

-- Ids of jobs that ended lately, looked for only where such a set exists at all.
local ended = {}
local epoch = math.floor(now / 30000)
local sets = {ended_key(epoch), ended_key(epoch - 1), ended_key(epoch - 2)}
if redis.call('EXISTS', unpack(sets)) > 0 then
  local ids = {}
  for i = 1, n do ids[i] = ARGV[2 + (i - 1) * PARTS] end
  for _, set in ipairs(sets) do
    for i, known in ipairs(redis.call('SMISMEMBER', set, unpack(ids))) do
      if known == 1 then ended[i] = true end
    end
  end
end

local outcomes = {}
for i = 1, n do
  local at = 1 + (i - 1) * PARTS
  local id, queue, tenant, actor, priority, delay, key, message = unpack(ARGV, at + 1, at + PARTS)
  local refusal = (has_recorder and journal_events + #events >= journal_max and 3) or (memory_is_full() and 4)
  if ended[i] or (refusal and redis.call('HEXISTS', JOBS, id) == 1) then
    outcomes[i] = 2
  elseif refusal then
    outcomes[i] = refusal
  elseif accept(id, queue, tenant, actor, tonumber(priority), tonumber(delay), key, message) then
    outcomes[i] = 1
  else
    outcomes[i] = 2
  end
end
commit()
return outcomes
