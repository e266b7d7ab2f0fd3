-- What was packed, or false when a hand has written something there that is none of ours.
local function readable(packed)
  local could, value = pcall(cmsgpack.unpack, packed)
  return could and type(value) == 'table' and value
end
