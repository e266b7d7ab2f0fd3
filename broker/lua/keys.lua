-- Names of keys, as in keys.py. KEYS[1] is the namespace in braces; every key that a script
-- touches begins with it, so all of them live in one Cluster slot.
local ns = KEYS[1]
local SYSTEM = '@system'             -- the tenant of jobs without one, whose line has no limits
local JOBS = ns .. ':jobs'           -- hash: job id -> packed record
local FLEET = ns .. ':fleet'         -- hash: clock, order of arrival and more, see fleet.lua
local JOURNAL = ns .. ':journal'     -- stream of events, see journal.lua
local MARKS = ns .. ':marks'         -- list: entries of a journal without recorder, see commit.lua
local METRICS = ns .. ':metrics'     -- hash of counters, see metrics.lua
local WORKERS = ns .. ':workers'     -- sorted set: worker -> end of its lease, ms
local QUEUES = ns .. ':queues'       -- set of queue names
local PAUSED = ns .. ':paused'       -- set, such as 'queue:email'
local FAILURES = ns .. ':failures'   -- hash: job id -> packed failure of a dead letter
local CANCELS = ns .. ':cancels'     -- hash: running job that someone cancelled -> 1
local VTIME = ns .. ':vtime'         -- hash: queue -> virtual time of its fair order
local MEANS = ns .. ':means'         -- hash: actor, or tab and queue -> recent mean run, ms
local PLANS = ns .. ':plans'         -- hash: plan -> packed limits, see limits.lua
local TENANTS = ns .. ':tenants'     -- hash: tenant -> packed limits
local RUNNING = ns .. ':running'     -- hash: tenant -> its leases, and tenant:back -> when it was parked last until, ms
local BACKLOG = ns .. ':backlog'     -- hash: tenant -> its unfinished jobs
local PARKED = ns .. ':parked'       -- hash: tenant without a free slot -> packed list of the queues that it has left
local PARKED_JOBS = ns .. ':parked-jobs'  -- hash: queue -> jobs in the lines of parked tenants
local GATES = ns .. ':gates'         -- zset: tenant -> when its rate lets in the next held job, ms
local RESUMING = ns .. ':resuming'   -- hash: queue -> place from which on jobs put aside go back, see resuming.lua
local RESUMED = ns .. ':resumed'     -- hash: 'queue:email' or 'actor:send_email' -> when it was resumed last, ms
local HELD = ns .. ':held'           -- hash: queue -> held jobs
local function waiting_key(queue) return ns .. ':waiting:' .. queue end      -- hash: second -> jobs that wait since then, n -> all
local function oldest_key(queue) return ns .. ':oldest:' .. queue end        -- zset of the seconds in it
local function scheduled_key(queue) return ns .. ':scheduled:' .. queue end  -- zset: job -> due, ms
local function active_key(queue) return ns .. ':active:' .. queue end        -- zset: job -> fetched at, ms
local function dead_key(queue) return ns .. ':dead:' .. queue end            -- zset: job -> died at, ms
local function stored_key(queue) return ns .. ':stored:' .. queue end        -- zset: dead letter that PostgreSQL has
local function ring_key(queue) return ns .. ':ring:' .. queue end            -- zset: tenant -> virtual start
local function tags_key(queue) return ns .. ':tags:' .. queue end            -- zset: idle tenant -> virtual start
local function line_key(queue, tenant) return ns .. ':line:' .. queue .. ':' .. tenant end -- zset: job -> place
local function held_key(tenant) return ns .. ':held:' .. tenant end          -- zset: job that its tenant's rate holds -> arrival
local function times_key(tenant) return ns .. ':times:' .. tenant end        -- list: when its last jobs were admitted, ms
local function halted_key(queue) return ns .. ':halted:' .. queue end        -- zset: job whose actor is paused -> place
local function suspects_key(queue) return ns .. ':suspects:' .. queue end    -- zset: job that lost two workers -> place
local function claim_key(queue) return ns .. ':claim:' .. queue end          -- string: worker that empties itself for a suspect
local function wake_key(queue) return ns .. ':wake:' .. queue end            -- list of at most one token
local function starts_key(queue) return ns .. ':starts:' .. queue end        -- zset: starts of the last second
local function leases_key(worker) return ns .. ':leases:' .. worker end      -- hash: job -> packed lease
local function worker_key(worker) return ns .. ':worker:' .. worker end      -- hash: facts and request numbers
local function group_key(group) return ns .. ':group:' .. group end          -- hash: size of a group and its members that completed
local function arrived_key(group) return ns .. ':arrived:' .. group end      -- set: its members whose runs came to their ends
local function callbacks_key(group) return ns .. ':callbacks:' .. group end  -- string: packed callbacks that its last settle sends
local function answer_key(request) return ns .. ':answer:' .. request end    -- string: packed answer, with a time to live
local function host_key(host) return ns .. ':host:' .. host end              -- set: workers of one machine
local function ended_key(epoch) return ns .. ':ended:' .. epoch end          -- set: jobs that ended in a half minute
