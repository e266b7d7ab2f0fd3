-- Take a tenant whose line is empty out of the ring; its tag stays until virtual time has passed it.
local function leave_ring(queue, tenant, tag)
  redis.call('ZREM', ring_key(queue), tenant)
  redis.call('ZADD', tags_key(queue), tag, tenant)
end
