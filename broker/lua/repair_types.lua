-- Remove keys of another type than their names say: nothing in them can be read, and every script that meets
-- them fails.
--
-- include: keys pass_full_memory
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {key without the namespace, type that it must have, ...} flat
-- Returns 1 for each key that is gone now, 0 for one that is as it should be.
local pairs_given = cmsgpack.unpack(ARGV[1])
local gone = {}
for i = 1, #pairs_given, 2 do
  local key = ns .. pairs_given[i]
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= pairs_given[i + 1] then
    redis.call('DEL', key)
    kind = 'none'
  end
  gone[#gone + 1] = kind == 'none' and 1 or 0
end
return gone
