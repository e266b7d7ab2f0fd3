-- Take out of hashes what no script can read, unless it was changed since it was seen. Each begins anew without it:
-- limits are published again, since without a version of them the monitor's sync takes Redis for emptied.
--
-- include: keys pass_full_memory recorder_here
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {hash without the namespace, field, value that was seen, ...} flat
-- Returns 1.
local seen = cmsgpack.unpack(ARGV[1])
local seconds = tonumber(redis.call('TIME')[1])

-- What the fleet's state needs instead.
local INSTEAD = {
  -- Behind every job that waits: nobody has sent a thousand jobs a second for as long as there is time.
  sequence = function() redis.call('HSET', FLEET, 'sequence', seconds * 1000) end,
  -- So that all jobs that ended lately are still known.
  ended = function() redis.call('HSET', FLEET, 'ended', math.floor(seconds / 30)) end,
  -- It is there only where a recorder was.
  recorder = note_recorder,
  events = function()
    if redis.call('HGET', FLEET, 'recorder') == '1' then note_recorder() end
  end,
}

-- More members than any group has: when the callbacks of one are due whose size is lost, nobody knows.
local NEVER = 9007199254740991

for i = 1, #seen, 3 do
  local key, field = ns .. ':' .. seen[i], seen[i + 1]
  if redis.call('HGET', key, field) == seen[i + 2] then
    redis.call('HDEL', key, field)
    if key == FLEET and INSTEAD[field] then INSTEAD[field]() end
    if string.find(seen[i], '^group:') then redis.call('HSET', key, field, field == 'size' and NEVER or 0) end
    if key == PLANS or key == TENANTS then redis.call('HDEL', FLEET, 'limits') end
  end
end
return 1
