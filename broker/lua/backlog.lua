-- How many unfinished jobs a tenant has: those that wait, are held or scheduled, or run.
local owed = {}  -- tenant -> jobs that were accepted less those that are over

local function owe(tenant, n)
  if tenant ~= SYSTEM then owed[tenant] = (owed[tenant] or 0) + n end
end

local owed_before = {}  -- tenant -> as it was before this script
local function read_backlogs(tenants)
  if #tenants < 2 then return end
  for i, owes in ipairs(redis.call('HMGET', BACKLOG, unpack(tenants))) do owed_before[tenants[i]] = tonumber(owes or 0) end
end

local function backlog_of(tenant)
  owed_before[tenant] = owed_before[tenant] or tonumber(redis.call('HGET', BACKLOG, tenant) or 0)
  return owed_before[tenant] + (owed[tenant] or 0)
end

local function write_backlog()
  for tenant, n in pairs(owed) do
    if n ~= 0 and redis.call('HINCRBY', BACKLOG, tenant, n) == 0 then
      redis.call('HDEL', BACKLOG, tenant)
      redis.call('HDEL', RUNNING, tenant .. ':back')
    end
  end
end
