-- Where one job is.
--
-- include: keys record progress
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  job id
-- Returns nil, or {packed record, place, since when (ms), worker or '', fraction or '', note};
--   place is 'pending', 'scheduled', 'active', 'failed' or 'nowhere'; the last two are the progress of its run.
local id = ARGV[1]
local packed = redis.call('HGET', JOBS, id)
if not packed then return nil end
local record = cmsgpack.unpack(packed)
local queue = record[R_QUEUE]
local function at(key, place)
  local score = redis.call('ZSCORE', key, id)
  if not score then return nil end
  local holder, lease = '', {}
  if place == 'active' then
    for _, worker in ipairs(redis.call('ZRANGE', WORKERS, 0, -1)) do
      local held = redis.call('HGET', leases_key(worker), id)
      if held then holder, lease = worker, cmsgpack.unpack(held) end
    end
  end
  return {packed, place, score, holder, tostring(lease[L_FRACTION] or ''), lease[L_NOTE] or ''}
end
local tenant = record[R_TENANT]
if redis.call('ZSCORE', line_key(queue, tenant), id) or redis.call('ZSCORE', suspects_key(queue), id)
  or redis.call('ZSCORE', halted_key(queue), id) then
  return {packed, 'pending', tostring(record[R_SINCE]), '', '', ''}
end
if redis.call('ZSCORE', held_key(tenant), id) then
  return {packed, 'scheduled', redis.call('ZSCORE', GATES, tenant) or '0', '', '', ''}
end
return at(active_key(queue), 'active')
  or at(scheduled_key(queue), 'scheduled') or at(dead_key(queue), 'failed') or {packed, 'nowhere', '0', '', '', ''}
