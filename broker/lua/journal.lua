-- The journal: one stream entry for all events of a script's run, so that a transition and its
-- record are one atomic step. Entry fields: n = number of events, e = packed array of events.
-- Event: {kind, at ms, job id, tenant, queue, actor, attempt, worker, detail}.
-- Where no recorder has ever been, only the newest entries are kept; otherwise the recorder trims.
local UNRECORDED_ENTRIES = 10000
local events = {}

local function event(kind, id, tenant, queue, actor, attempt, worker, detail)
  events[#events + 1] = {kind, now, id, tenant, queue, actor, attempt, worker, detail}
end

local function write_journal()
  if #events == 0 then return end
  if has_recorder then
    redis.call('XADD', JOURNAL, '*', 'n', #events, 'e', cmsgpack.pack(events))
    redis.call('HINCRBY', FLEET, 'events', #events)
  else
    redis.call('XADD', JOURNAL, 'MAXLEN', '~', UNRECORDED_ENTRIES, '*', 'n', #events, 'e', cmsgpack.pack(events))
  end
end
