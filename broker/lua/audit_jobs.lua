-- Check a slice of jobs: each in exactly one place, and whatever belongs to that place is there.
-- One run sees one moment, so a job that is on its way is never a finding.
--
-- include: keys record fleet limits waiting lines
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {id, queue, tenant, ...} flat; queue and, for a line, tenant say where the id was found,
--          '' for the record itself
-- Returns {kind, id, text, ...} flat, empty when all is well.
local now = read_clock()
local triples = cmsgpack.unpack(ARGV[1])
local findings = {}
local function found(kind, id, text)
  findings[#findings + 1] = kind
  findings[#findings + 1] = id
  findings[#findings + 1] = text
end

local workers = redis.call('ZRANGE', WORKERS, 0, -1)
local function holders(id)
  local names = {}
  for _, worker in ipairs(workers) do
    if redis.call('HEXISTS', leases_key(worker), id) == 1 then names[#names + 1] = worker end
  end
  return names
end

local function places(id, queue, tenant)
  local all = {}
  if redis.call('ZSCORE', suspects_key(queue), id) then all[#all + 1] = 'suspects' end
  if redis.call('ZSCORE', halted_key(queue), id) then all[#all + 1] = 'halted' end
  if tenant and redis.call('ZSCORE', held_key(tenant), id) then all[#all + 1] = 'held' end
  if tenant and redis.call('ZSCORE', line_key(queue, tenant), id) then all[#all + 1] = 'waiting' end
  if redis.call('ZSCORE', scheduled_key(queue), id) then all[#all + 1] = 'scheduled' end
  if redis.call('ZSCORE', active_key(queue), id) then all[#all + 1] = 'active' end
  if redis.call('ZSCORE', dead_key(queue), id) then all[#all + 1] = 'dead' end
  return all
end

local function check(id, record)
  local queue, tenant = record[R_QUEUE], record[R_TENANT]
  local all = places(id, queue, tenant)
  if #all == 0 then return found('lost', id, 'in none of waiting, held, scheduled, active, dead of ' .. queue) end
  if #all > 1 then return found('twice', id, 'in ' .. table.concat(all, ' and ') .. ' of ' .. queue) end
  local held = holders(id)
  if all[1] == 'waiting' and not redis.call('ZSCORE', ring_key(queue), tenant) and not is_parked(queue, tenant) then
    found('ring', id, tenant .. ' has waiting jobs but no turn in ' .. queue .. ', nor is it parked')
  end
  if all[1] == 'held' and not redis.call('ZSCORE', GATES, tenant) then
    found('gate', id, 'is held for the rate of ' .. tenant .. ' and nothing lets it in')
  end
  if all[1] == 'active' and #held ~= 1 then
    found('lease', id, 'is active and held by ' .. #held .. ' workers')
  elseif all[1] ~= 'active' and #held > 0 then
    found('lease', id, 'is ' .. all[1] .. ' but held by ' .. held[1])
  end
  if all[1] == 'dead' and redis.call('HEXISTS', FAILURES, id) == 0 then
    found('failure', id, 'is dead but nothing says why')
  end
end

for i = 1, #triples, 3 do
  local id, queue, tenant = triples[i], triples[i + 1], triples[i + 2]
  local packed = redis.call('HGET', JOBS, id)
  if packed then
    local record = cmsgpack.unpack(packed)
    if record[R_FORMAT] ~= FORMAT then
      found('format', id, 'has format ' .. tostring(record[R_FORMAT]))
    else
      check(id, record)
      if tenant ~= '' and tenant ~= record[R_TENANT] then
        found('line', id, 'of ' .. record[R_TENANT] .. ' stands in the line of ' .. tenant)
      end
    end
  elseif queue ~= '' then
    local all = places(id, queue, tenant)
    if #all > 0 then found('ghost', id, 'in ' .. table.concat(all, ' and ') .. ' of ' .. queue .. ' without a record') end
  end
end
return findings
