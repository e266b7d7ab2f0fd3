-- The end of every script that changes something: journal, counters, wake tokens, state.
-- Where no recorder has ever been, the journal keeps about the newest 10,000 events only (an entry
-- of many events leaves room for the fewer entries); otherwise the recorder trims it.
local UNRECORDED_EVENTS = 10000

local function write_journal()
  if #events == 0 then return end
  if has_recorder then
    redis.call('XADD', JOURNAL, '*', 'e', cmsgpack.pack(events))
    set_state('events', journal_events + #events)
  else
    redis.call('XADD', JOURNAL, 'MAXLEN', '~', math.ceil(UNRECORDED_EVENTS / #events), '*', 'e', cmsgpack.pack(events))
  end
end

local function commit()
  fill_lines()
  write_waiting()
  write_journal()
  for field, n in pairs(sums) do redis.call('HINCRBY', METRICS, field, n) end
  for queue in pairs(touched) do
    -- One token for an idle worker. Workers block on it, so nobody polls.
    if redis.call('LLEN', wake_key(queue)) == 0 then redis.call('LPUSH', wake_key(queue), 1) end
  end
  if sequence ~= tonumber(state[7] or 0) then set_state('sequence', sequence) end
  if #changed > 0 then redis.call('HSET', FLEET, unpack(changed)) end
end
