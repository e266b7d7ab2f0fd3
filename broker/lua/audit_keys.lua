-- Which idempotency keys stand for jobs that Redis does not know, though they have no time to live: nothing
-- would ever free them, unless the job is a dead letter that PostgreSQL holds.
--
-- include: keys readable
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {key without the namespace, ...}
-- Returns {key, job id, ...} flat.
local orphans = {}
for _, name in ipairs(cmsgpack.unpack(ARGV[1])) do
  local packed = redis.call('GET', ns .. name)
  local sent = packed and (readable(packed) or {''})
  if sent and redis.call('PTTL', ns .. name) == -1 and redis.call('HEXISTS', JOBS, sent[1]) == 0 then
    orphans[#orphans + 1] = name
    orphans[#orphans + 1] = sent[1]
  end
end
return orphans
