-- Counters, summed over the batch and written at its end.
-- Fields are tab-separated: name, then labels in order.
local sums = {}

local function count(field, n) sums[field] = (sums[field] or 0) + (n or 1) end
