-- Take in what a send brings: ARGV[1] = journal_max, then for each job id, queue, tenant, actor, priority,
-- delay ms, policy, encoded message. Plain arguments, not packed ones: unpacking them was 4 of 45 microseconds
-- of a single send. `admit` decides on jobs that have a policy.
-- Returns for each job:
--   1 accepted
--   2 known already: a repeat of the same send changes nothing; an id is remembered until at least
--     60 s after its job has ended
--   3 journal at its cap    4 the server's memory is nearly used up
--   or what `admit` says
local PARTS = 8

-- Which of the jobs have ended lately.
local function which_ended(n)
  local ended = {}
  for _, set in ipairs(ended_sets()) do
    local ids = {}
    for i = 1, n do ids[i] = ARGV[2 + (i - 1) * PARTS] end
    for i, known in ipairs(redis.call('SMISMEMBER', set, unpack(ids))) do
      if known == 1 then ended[i] = true end
    end
  end
  return ended
end

local function take_in(admit)
  local journal_max, n = tonumber(ARGV[1]), (#ARGV - 1) / PARTS
  local ended, outcomes = which_ended(n), {}
  for i = 1, n do
    local at = 1 + (i - 1) * PARTS
    local id, queue, tenant, actor, priority, delay, policy, message = unpack(ARGV, at + 1, at + PARTS)
    priority, delay = tonumber(priority), tonumber(delay)
    local refusal = (has_recorder and journal_events + #events >= journal_max and 3) or (memory_is_full() and 4)
    if ended[i] or (refusal and redis.call('HEXISTS', JOBS, id) == 1) then
      outcomes[i] = 2
    elseif refusal then
      outcomes[i] = refusal
    elseif policy ~= '' then
      outcomes[i] = admit(id, queue, tenant, actor, priority, delay, policy, message)
    else
      outcomes[i] = accept(id, queue, tenant, actor, priority, delay, '', message) and 1 or 2
    end
  end
  commit()
  return outcomes
end
