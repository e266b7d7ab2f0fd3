-- A job's record: an array, packed with cmsgpack. Python reads it in record.py.
local FORMAT = 1
local R_FORMAT, R_QUEUE, R_TENANT, R_ACTOR, R_PRIORITY = 1, 2, 3, 4, 5
local R_ATTEMPTS = 6   -- attempts that have ended; lost and released runs are none
local R_CREATED = 7    -- when it was sent, ms
local R_LOSSES = 8     -- workers that were lost while they ran it
local R_KEY = 9        -- idempotency key or ''
local R_MESSAGE = 10   -- the encoded message
local R_SINCE = 11     -- could run since, ms; for a scheduled job, when it was sent
local R_KEY_TTL = 12   -- ms for which the key is remembered after the job completed; absent or 0: not at all
local R_DUE = 13       -- for a held job, when its own delay ends, ms
local R_POSTPONED = 14 -- 1 when its last run was postponed, which is no attempt; absent or 0: it was not
-- Places in a line: priority * 2^48 + order of arrival, which fits a double exactly.
local PRIORITY_STEP = 281474976710656
-- A lease: what a worker holds, packed the same way.
local L_NUMBER = 1     -- number of the fetch that took it; with worker and job id this is the token
local L_QUEUE, L_TENANT, L_ACTOR = 2, 3, 4
local L_PLACE = 5      -- its score in the tenant's line, so that it can go back to the front
local L_SINCE = 6      -- could run since, ms
local L_FETCHED = 7    -- fetched at, ms
local L_ATTEMPT = 8    -- which attempt this run is, from 1
local L_CHARGE = 9     -- virtual service that its tenant was charged for the start
local L_ALONE = 10     -- 1 when it is a suspect and runs alone in its process
local L_KEY, L_KEY_TTL = 11, 12  -- as in the record; absent in most
-- Losses after which a job is a suspect: it may be what kills its workers.
local SUSPECT_LOSSES = 2
