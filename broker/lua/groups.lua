-- Groups with completion callbacks. The member by whose run all have come to an end brings the callbacks; where
-- others are settled after it they are kept, and the last settle sends them.

-- Sends with their messages, as they are kept.
local function with_messages(sends)
  local found = {}
  for i, row in ipairs(sends) do found[i] = {row, ARGV[1 + row[1]]} end
  return found
end

local function send_callbacks(name, sends)
  local kept = sends[1] == nil and redis.call('GET', callbacks_key(name))
  for _, callback in ipairs(kept and cmsgpack.unpack(kept) or with_messages(sends)) do send_or_bury(callback[1], callback[2]) end
  redis.call('DEL', arrived_key(name), callbacks_key(name))
end

-- A member of a group has completed; members count by id, so a run that is repeated counts once.
local function complete_member(id, group)
  local name, ttl, sends = unpack(group)
  local key = group_key(name)
  if redis.call('HSETNX', key, id, 1) == 0 then return end
  redis.call('PEXPIRE', key, ttl)
  local size = redis.call('HMGET', key, 'size', 'repeats')
  -- Of a group whose size is lost nobody knows when it is complete.
  if size[1] and redis.call('HLEN', key) - 2 == size[1] - (size[2] or 0) then
    send_callbacks(name, sends)
  elseif sends[1] then
    redis.call('SET', callbacks_key(name), cmsgpack.pack(with_messages(sends)), 'PX', ttl)
  end
end
