-- Look whether keys are of the types that their names say.
--
-- include: keys
--
-- KEYS[1]  namespace in braces
-- ARGV[1]  packed {key without the namespace, type that it must have, ...} flat
-- Returns {key, its type, ...} flat, of those that are of another one.
local pairs_given = cmsgpack.unpack(ARGV[1])
local wrong = {}
for i = 1, #pairs_given, 2 do
  local kind = redis.call('TYPE', ns .. pairs_given[i]).ok
  if kind ~= 'none' and kind ~= pairs_given[i + 1] then
    wrong[#wrong + 1] = pairs_given[i]
    wrong[#wrong + 1] = kind
  end
end
return wrong
