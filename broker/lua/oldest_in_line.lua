-- The oldest jobs of a line, which is in order of arrival within each priority: one of them is its oldest.

-- Append the first job of each priority.
local function heads_of_line(line, ids)
  local from = '-inf'
  while true do
    local id, spot = unpack(redis.call('ZRANGEBYSCORE', line, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1))
    if not id then return end
    ids[#ids + 1] = id
    from = string.format('%.0f', (math.floor(spot / PRIORITY_STEP) + 1) * PRIORITY_STEP)  -- the next priority
  end
end

-- Since when the oldest job could run, ms; `oldest` where no job of the line is older.
local function oldest_in_line(line, oldest)
  local ids = {}
  heads_of_line(line, ids)
  for _, packed in ipairs(#ids > 0 and redis.call('HMGET', JOBS, unpack(ids)) or {}) do
    if packed then oldest = math.min(oldest, cmsgpack.unpack(packed)[R_SINCE]) end
  end
  return oldest
end
