-- Recent means: each run counts for a tenth, so some twenty runs make a new one known.
local runs = {}
local function learn(name, ran)
  runs[name] = runs[name] or {}
  table.insert(runs[name], ran)
end

local function write_means()
  local names, fields = {}, {}
  for name in pairs(runs) do names[#names + 1] = name end
  if #names == 0 then return end
  for i, known in ipairs(redis.call('HMGET', MEANS, unpack(names))) do
    local mean = tonumber(known or runs[names[i]][1])
    for _, ran in ipairs(runs[names[i]]) do mean = mean + 0.1 * (ran - mean) end
    fields[#fields + 1] = names[i]
    fields[#fields + 1] = string.format('%.3f', mean)
  end
  redis.call('HSET', MEANS, unpack(fields))
end
