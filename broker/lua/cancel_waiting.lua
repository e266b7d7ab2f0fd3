-- End a job that has not begun, wherever it waits: it is over as cancelled.
local function cancel_waiting(id, record)
  local queue, tenant, actor = record[R_QUEUE], record[R_TENANT], record[R_ACTOR]
  redis.call('ZREM', scheduled_key(queue), id)
  quit_held(queue, tenant, id)
  quit_line(queue, tenant, id, record[R_SINCE])
  redis.call('HDEL', JOBS, id)
  remember_ended({id})
  owe(tenant, -1)
  free_key(tenant, actor, record[R_KEY], id)
  count('jobs_processed\t' .. queue .. '\t' .. actor .. '\tcancelled')
  event('cancelled', id, tenant, queue, actor, record[R_ATTEMPTS], '', {started_ms = 0, wait_ms = 0, run_ms = 0, result = ''})
end
