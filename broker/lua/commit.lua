-- The end of every script that changes something: journal, counters, wake tokens, state.
-- Where no recorder has ever been, the journal keeps the newest 10,000 events and up to a thousand more,
-- however many an entry holds; otherwise the recorder trims it.
local MARK_EVENTS = 1000
local MARKS_KEPT = 11              -- the oldest one is 10,000 events behind the newest

-- What to trim is known by marks: to count the events of the oldest entries would be to read them.
local function trim_unrecorded(position)
  local total = unrecorded_events + #events
  set_state('unrecorded', total)
  local passed = math.floor(total / MARK_EVENTS) - math.floor(unrecorded_events / MARK_EVENTS)
  if passed == 0 then return end
  for _ = 1, passed do redis.call('RPUSH', MARKS, position) end
  redis.call('LTRIM', MARKS, -MARKS_KEPT, -1)
  if redis.call('LLEN', MARKS) == MARKS_KEPT then
    redis.call('XTRIM', JOURNAL, 'MINID', redis.call('LINDEX', MARKS, 0))
  end
end

local function write_journal()
  if #events == 0 then return end
  local position = redis.call('XADD', JOURNAL, '*', 'e', cmsgpack.pack(events))
  if has_recorder then set_state('events', journal_events + #events) else trim_unrecorded(position) end
end

local function commit()
  fill_lines()
  write_slots()    -- where the script knows slots
  write_times()    -- where the script knows rates
  write_waiting()
  write_backlog()
  write_journal()
  for field, n in pairs(sums) do redis.call('HINCRBY', METRICS, field, n) end
  for queue in pairs(touched) do
    -- One token for an idle worker. Workers block on it, so nobody polls.
    if redis.call('LLEN', wake_key(queue)) == 0 then redis.call('LPUSH', wake_key(queue), 1) end
  end
  if sequence ~= tonumber(state[7] or 0) then set_state('sequence', sequence) end
  if #changed > 0 then redis.call('HSET', FLEET, unpack(changed)) end
end
