-- Histograms, kept as counters: the last part of a field is the bucket's upper bound in ms ('inf'
-- for the last one; each job is counted in one bucket) or 'sum'.
local BUCKETS = {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 120000, 300000, 600000}

local function observe(field, ms)
  local bound = 'inf'
  for i = 1, #BUCKETS do
    if ms <= BUCKETS[i] then bound = BUCKETS[i]; break end
  end
  count(field .. '\t' .. bound)
  count(field .. '\tsum', math.floor(ms))
end
