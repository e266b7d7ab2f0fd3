-- Check a slice of jobs: each in exactly one place, and whatever belongs to that place is there.
-- One run sees one moment, so a job that is on its way is never a finding.
--
-- include: keys record
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {id, queue, ...} flat; queue is where the id was found, '' for the record itself
-- Returns {kind, id, text, ...} flat, empty when all is well.
local pairs_of = cmsgpack.unpack(ARGV[1])
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

local function places(id, queue)
  local all = {}
  if redis.call('ZSCORE', waiting_key(queue), id) then all[#all + 1] = 'waiting' end
  if redis.call('ZSCORE', scheduled_key(queue), id) then all[#all + 1] = 'scheduled' end
  if redis.call('ZSCORE', active_key(queue), id) then all[#all + 1] = 'active' end
  if redis.call('ZSCORE', dead_key(queue), id) then all[#all + 1] = 'dead' end
  return all
end

local function check(id, record)
  local queue, tenant = record[R_QUEUE], record[R_TENANT]
  local all = places(id, queue)
  if #all == 0 then return found('lost', id, 'in none of waiting, scheduled, active, dead of ' .. queue) end
  if #all > 1 then return found('twice', id, 'in ' .. table.concat(all, ' and ') .. ' of ' .. queue) end
  local in_line = redis.call('ZSCORE', line_key(queue, tenant), id)
  local suspected = redis.call('ZSCORE', suspects_key(queue), id)
  local held = holders(id)
  if all[1] == 'waiting' then
    if not in_line and not suspected then
      found('line', id, 'waits in ' .. queue .. ' but not in the line of ' .. tenant)
    end
    if in_line and suspected then found('line', id, 'is a suspect and in the line of ' .. tenant) end
    if not suspected and not redis.call('ZSCORE', ring_key(queue), tenant) then
      found('ring', id, tenant .. ' has waiting jobs but no turn in ' .. queue)
    end
  elseif in_line or suspected then
    found('line', id, 'is ' .. all[1] .. ' but stands in the line of ' .. tenant)
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

for i = 1, #pairs_of, 2 do
  local id, queue = pairs_of[i], pairs_of[i + 1]
  local packed = redis.call('HGET', JOBS, id)
  if packed then
    local record = cmsgpack.unpack(packed)
    if record[R_FORMAT] ~= FORMAT then
      found('format', id, 'has format ' .. tostring(record[R_FORMAT]))
    else
      check(id, record)
    end
  elseif queue ~= '' then
    local all = places(id, queue)
    if #all > 0 then found('ghost', id, 'in ' .. table.concat(all, ' and ') .. ' of ' .. queue .. ' without a record') end
  end
end
return findings
