-- Since when the oldest job of a line could run, ms; `oldest` where no job of it is older.
-- Lines are in order of arrival within each priority.
local function oldest_in_line(line, oldest)
  local from = '-inf'
  while true do
    local id, spot = unpack(redis.call('ZRANGEBYSCORE', line, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1))
    if not id then return oldest end
    local packed = redis.call('HGET', JOBS, id)
    if packed then oldest = math.min(oldest, cmsgpack.unpack(packed)[R_SINCE]) end
    from = string.format('%.0f', (math.floor(spot / PRIORITY_STEP) + 1) * PRIORITY_STEP)  -- the next priority
  end
end
