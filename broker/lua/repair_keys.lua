-- Remember idempotency keys again, and forget those of jobs that nobody knows.
--
-- include: keys pass_full_memory record readable places idempotency
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {id, digest, ...} flat: unfinished jobs whose keys are not remembered, with their payloads' digests
-- ARGV[2]  packed {key without the namespace, id, ...} flat: keys that stand for jobs that are not known any more
-- Returns two lists, for each of the former and of the latter 1 when it is now as it should be, 0 when it moved on.
local missing, orphans = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])

local function remember_key(id, digest)
  local record = record_of(id)
  if not record or record[R_FORMAT] ~= FORMAT or (record[R_KEY_TTL] or 0) == 0 then return 0 end
  local name = key_name(record[R_TENANT], record[R_ACTOR], record[R_KEY])
  redis.call('SET', name, cmsgpack.pack({id, digest}), 'NX')
  local sent = sent_under(name)
  return sent and sent[1] == id and 1 or 0
end

-- One that cannot be read stands for no job.
local function forget_orphan(name, id)
  local packed = redis.call('GET', name)
  if not packed then return 1 end
  local sent = readable(packed) or {''}
  if sent[1] ~= id or redis.call('PTTL', name) ~= -1 or redis.call('HEXISTS', JOBS, id) == 1 then return 0 end
  return redis.call('DEL', name)
end

local remembered, freed = {}, {}
for i = 1, #missing, 2 do remembered[#remembered + 1] = remember_key(missing[i], missing[i + 1]) end
for i = 1, #orphans, 2 do freed[#freed + 1] = forget_orphan(ns .. orphans[i], orphans[i + 1]) end
return {remembered, freed}
