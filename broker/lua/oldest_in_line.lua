-- Since when the oldest job of a line could run, ms; `oldest` where no job of it is older.
-- Lines are in order of arrival within each priority.
-- since_of = what tells of a record since when, where that is something else.
local function oldest_in_line(line, oldest, since_of)
  local from = '-inf'
  while true do
    local id, spot = unpack(redis.call('ZRANGEBYSCORE', line, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1))
    if not id then return oldest end
    local packed = redis.call('HGET', JOBS, id)
    local record = packed and cmsgpack.unpack(packed)
    if record then oldest = math.min(oldest, since_of and since_of(record) or record[R_SINCE]) end
    from = string.format('%.0f', (math.floor(spot / PRIORITY_STEP) + 1) * PRIORITY_STEP)  -- the next priority
  end
end
