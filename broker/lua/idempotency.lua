-- Keys: the same key again while its job is not over, or for a while after it completed, is that job.
-- A key belongs to a tenant and an actor. Its string holds {job id, digest of the payload}; it has no
-- time to live until the job completes, and goes when the job is cancelled or discarded.
local function key_name(tenant, actor, key) return ns .. ':key:' .. tenant .. ':' .. #actor .. ':' .. actor .. ':' .. key end

-- The job that was sent under a key, {id, digest}, or nil.
local function sent_under(name)
  local packed = redis.call('GET', name)
  return packed and cmsgpack.unpack(packed)
end

-- The job has completed: from now on the key is remembered for `ttl` ms.
local function keep_key(tenant, actor, key, ttl) redis.call('PEXPIRE', key_name(tenant, actor, key), ttl) end

-- The job is over without having done what it was for: it may be sent again.
local function free_key(tenant, actor, key, id)
  if key == '' then return end
  local name = key_name(tenant, actor, key)
  local sent = sent_under(name)
  if sent and sent[1] == id then redis.call('DEL', name) end
end
