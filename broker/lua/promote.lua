-- Scheduled jobs that are due go to the end of their lines, at most `limit` in one run.
local function promote(queue, limit)
  local due = redis.call('ZRANGEBYSCORE', scheduled_key(queue), '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
  if #due == 0 then return end
  local ids = {}
  for i = 1, #due, 2 do ids[#ids + 1] = due[i] end
  local records = redis.call('HMGET', JOBS, unpack(ids))
  local changed_records = {}
  for i, id in ipairs(ids) do
    if records[i] then
      local record = cmsgpack.unpack(records[i])
      record[R_SINCE] = tonumber(due[2 * i])
      changed_records[#changed_records + 1] = id
      changed_records[#changed_records + 1] = cmsgpack.pack(record)
      join_line(queue, record[R_TENANT], id, place(record[R_PRIORITY], next_place()), record[R_SINCE])
    end
  end
  if #changed_records > 0 then redis.call('HSET', JOBS, unpack(changed_records)) end
  redis.call('ZREM', scheduled_key(queue), unpack(ids))
end
