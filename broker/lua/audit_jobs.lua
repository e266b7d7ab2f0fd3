-- Check a slice of jobs: each in exactly one place, and whatever belongs to that place is there.
-- One run sees one moment, so a job that is on its way is never a finding.
--
-- include: keys record fleet readable places idempotency findings
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {id, queue, tenant, ...} flat; queue and tenant say where the id was found, '' for what
--          the place is not named after: both for a line, the tenant for what is held, neither for the record itself
-- Returns {kind, id, text, ...} flat, empty when all is well.
local now = read_clock()
local triples = cmsgpack.unpack(ARGV[1])

local function names(all)
  local said = {}
  for i, place in ipairs(all) do said[i] = place[1] end
  return table.concat(said, ' and ')
end

local known_queues = {}
for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do known_queues[queue] = true end

-- Whatever must be there for a job to leave its place.
local CHECKS = {
  waiting = function(id, queue, tenant)
    if not redis.call('ZSCORE', ring_key(queue), tenant) and not stands_parked(queue, tenant) then
      found('ring', id, tenant .. ' has waiting jobs but no turn in ' .. queue .. ', nor is it parked')
    end
  end,
  held = function(id, _, tenant)
    if not redis.call('ZSCORE', GATES, tenant) then
      found('gate', id, 'is held for the rate of ' .. tenant .. ' and nothing lets it in')
    end
  end,
  halted = function(id, queue, _, actor)
    if redis.call('SISMEMBER', PAUSED, 'actor:' .. actor) == 0 and redis.call('HEXISTS', RESUMING, queue) == 0 then
      found('halted', id, 'is put aside though ' .. actor .. ' is not paused')
    end
  end,
  dead = function(id)
    local why = redis.call('HGET', FAILURES, id)
    if not why then found('failure', id, 'is dead but nothing says why') end
    if why and not readable(why) then found('failure', id, 'is dead and why cannot be read') end
  end,
}

local function check_lease(id, name)
  local held = holders_of(id)
  if name == 'active' and #held == 1 and not is_lease(held[1], id) then
    found('lease', id, 'is active and its lease cannot be read')
  elseif name == 'active' and #held ~= 1 then
    found('lease', id, 'is active and held by ' .. #held .. ' workers')
  elseif name ~= 'active' and #held > 0 then
    found('lease', id, 'is ' .. name .. ' but held by ' .. held[1])
  end
end

local function check_key(id, record)
  if (record[R_KEY_TTL] or 0) == 0 or record[R_KEY] == '' then return end
  if redis.call('EXISTS', key_name(record[R_TENANT], record[R_ACTOR], record[R_KEY])) == 0 then
    found('key', id, 'has an idempotency key that nobody remembers')
  end
end

local function check(id, record)
  local queue, tenant = record[R_QUEUE], record[R_TENANT]
  check_key(id, record)
  if not known_queues[queue] then found('queue', id, 'is of ' .. queue .. ', which is not among the queues') end
  local all = places_of(id, queue, tenant)
  if #all == 0 then return found('lost', id, 'in none of waiting, held, scheduled, active, dead of ' .. queue) end
  if #all > 1 then return found('twice', id, 'in ' .. names(all) .. ' of ' .. queue) end
  local name = all[1][1]
  check_lease(id, name)
  if CHECKS[name] then CHECKS[name](id, queue, tenant, record[R_ACTOR]) end
end

local function check_stranger(id, queue, tenant, record)
  if queue ~= '' and queue ~= record[R_QUEUE] then
    local all = places_of(id, queue, tenant)
    if #all > 0 then found('line', id, 'of ' .. record[R_QUEUE] .. ' is in ' .. names(all) .. ' of ' .. queue) end
  elseif tenant ~= '' and tenant ~= record[R_TENANT] then
    local all = places_of(id, '', tenant)
    if queue ~= '' or #all > 0 then found('line', id, 'of ' .. record[R_TENANT] .. ' stands in the line of ' .. tenant) end
  end
end

local function check_ghost(id, queue, tenant)
  local all, held = places_of(id, queue, tenant), holders_of(id)
  if #all > 0 then
    found('ghost', id, 'in ' .. names(all) .. ' of ' .. (queue ~= '' and queue or tenant) .. ' without a record')
  elseif #held > 0 then
    found('ghost', id, 'held by ' .. held[1] .. ' without a record')
  end
end

for i = 1, #triples, 3 do
  local id, queue, tenant = triples[i], triples[i + 1], triples[i + 2]
  local record = record_of(id)
  if record == false then
    found('format', id, 'has a record that cannot be read')
  elseif not record then
    check_ghost(id, queue, tenant)
  elseif record[R_FORMAT] ~= FORMAT then
    found('format', id, 'has format ' .. tostring(record[R_FORMAT]))
  else
    check(id, record)
    check_stranger(id, queue, tenant, record)
  end
end
return findings
