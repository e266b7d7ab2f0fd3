-- Pick jobs of a queue in fair order.

-- What is paused, such as 'queue:email' or 'actor:send_email'.
local paused = {}
for _, name in ipairs(redis.call('SMEMBERS', PAUSED)) do paused[name] = true end

-- Recent mean run of an actor, or of a queue by the name '\t' .. queue; 0 when it is not known.
local means = {}
local function mean_of(name)
  if not means[name] then means[name] = tonumber(redis.call('HGET', MEANS, name) or 0) end
  return means[name]
end

-- Records of jobs that were taken out of their line, with what their starts are charged:
-- {{id, record, place, charge}, ...}. An actor that has never run is charged what is usual in the queue.
-- Jobs of a paused actor are put aside, once, and cost nothing until it is resumed. Suspects, which stood in line
-- while they could not start, join the others, unless it is one that is to run alone now.
local suspects_came = 0
local function read_jobs(queue, popped, alone)
  local ids, found = {}, {}
  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
  for i, packed in ipairs(redis.call('HMGET', JOBS, unpack(ids))) do
    local record = packed and cmsgpack.unpack(packed)
    if record and paused['actor:' .. record[R_ACTOR]] then
      redis.call('ZADD', halted_key(queue), popped[2 * i], ids[i])
    elseif record and record[R_LOSSES] >= SUSPECT_LOSSES and not alone then
      redis.call('ZADD', suspects_key(queue), popped[2 * i], ids[i])
      suspects_came = suspects_came + 1
    elseif record then
      local mean = mean_of(record[R_ACTOR])
      if mean == 0 then mean = mean_of('\t' .. queue) end
      found[#found + 1] = {ids[i], record, tonumber(popped[2 * i]), math.max(LEAST_CHARGE, mean)}
    end
  end
  return found
end

-- Start jobs of one tenant until its tag has passed `turn`, where the next tenant's turn is. Returns the
-- tag then, the tag of the last start, and those left: {place, id, ...}.
local function start_until(turn, tag, weight, found, picks)
  local last, left = nil, {}
  for _, job in ipairs(found) do
    if tag > turn then
      left[#left + 1] = job[3]
      left[#left + 1] = job[1]
    else
      picks[#picks + 1] = job
      last, tag = tag, tag + job[4] / weight
    end
  end
  return tag, last, left
end

-- Virtual time is the tag of the last start; idle tenants that it has passed are forgotten.
local function pass(queue, virtual)
  if virtual and virtual > tonumber(redis.call('HGET', VTIME, queue) or 0) then
    redis.call('HSET', VTIME, queue, virtual)
    redis.call('ZREMRANGEBYSCORE', tags_key(queue), '-inf', virtual)
  end
end

-- Turns of one run in which nothing starts (tenants are parked, jobs put aside): no script runs long.
local IDLE_TURNS = 50

-- The first of a ring in order, {{tag, tenant}, ...}: as many as a run of n jobs can need, as each turn takes the first
-- and looks at the second. Nobody else changes the ring meanwhile, so turns are taken here and written at the end:
-- with many tenants that is 3 of 5 commands of a job.
local function read_ring(queue, n)
  local ring, flat = {}, redis.call('ZRANGE', ring_key(queue), 0, n + IDLE_TURNS + 1, 'WITHSCORES')
  for i = 1, #flat, 2 do ring[#ring + 1] = {tonumber(flat[i + 1]), flat[i]} end
  local first = {}
  for i = 1, math.min(#ring, n) do first[i] = ring[i][2] end
  read_limits(first)
  read_slots(first)
  return ring
end

local function put_back(ring, tag, tenant)
  local low, high = 1, #ring + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local other = ring[middle]
    if other[1] < tag or (other[1] == tag and other[2] < tenant) then low = middle + 1 else high = middle end
  end
  table.insert(ring, low, {tag, tenant})
end

-- Write the turns that were taken: tags = tenant -> where it stands now.
local function write_ring(queue, tags)
  local rows = {}
  for tenant, tag in pairs(tags) do
    if redis.call('EXISTS', line_key(queue, tenant)) == 0 then
      leave_ring(queue, tenant, tag)
    else
      rows[#rows + 1] = tag
      rows[#rows + 1] = tenant
    end
  end
  if #rows > 0 then redis.call('ZADD', ring_key(queue), unpack(rows)) end
end

-- Up to n jobs of the tenant whose turn it is; while the next tenant's turn is further off than one job
-- that is usual in the queue, several are taken at once: one tenant alone costs one command. Where
-- they are longer than usual, those for which it is no longer the tenant's turn go back. Where suspects came up, its
-- turns are over for this run: no more of them than it has free slots are to leave the line.
-- Returns the tag of the last start, nil when there was none.
local function take_turn(queue, ring, tags, n, picks)
  local tag, tenant = unpack(table.remove(ring, 1))
  local turn, free = ring[1] and ring[1][1] or math.huge, free_slots(tenant)
  if free and free <= 0 then
    park(queue, tenant)
    return nil
  end
  local line, weight, before, came = line_key(queue, tenant), weight_of(tenant), #picks, suspects_came
  local usual = math.max(LEAST_CHARGE, mean_of('\t' .. queue))
  local most = math.min(n, free or n, math.floor((turn - tag) * weight / usual) + 1)
  local popped = redis.call('ZPOPMIN', line, most)
  local last, left = nil, {}
  if #popped > 0 then tag, last, left = start_until(turn, tag, weight, read_jobs(queue, popped), picks) end
  take_slots(tenant, #picks - before)
  if #left > 0 then redis.call('ZADD', line, unpack(left)) end
  tags[tenant] = tag
  if free and #picks - before >= free then
    write_ring(queue, {[tenant] = tag})
    if redis.call('EXISTS', line) == 1 then park(queue, tenant) end
    tags[tenant] = nil
  elseif came == suspects_came and (#left > 0 or #popped / 2 == most) then
    put_back(ring, tag, tenant)
  end
  return last
end

-- Up to n jobs of a queue in fair order.
local function pick(queue, n)
  local picks, virtual, tags = {}, nil, {}
  local ring = read_ring(queue, n)
  for _ = 1, n + IDLE_TURNS do
    if #picks == n or not ring[1] then break end
    virtual = take_turn(queue, ring, tags, n - #picks, picks) or virtual
  end
  write_ring(queue, tags)
  pass(queue, virtual)
  return picks
end
