-- The journal: one stream entry for all events of a script's run, so that a transition and its
-- record are one atomic step. Its field e is the packed array of events.
-- Event: {kind, at ms, job id, tenant, queue, actor, attempt, worker, detail}.
local events = {}

local function event(kind, id, tenant, queue, actor, attempt, worker, detail)
  events[#events + 1] = {kind, now, id, tenant, queue, actor, attempt, worker, detail}
end
