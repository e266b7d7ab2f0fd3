-- What a script of an audit has found, flat: kind, name, text of each.
local findings = {}

local function found(kind, name, text)
  findings[#findings + 1] = kind
  findings[#findings + 1] = name
  findings[#findings + 1] = text
end
