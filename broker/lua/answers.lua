-- Calls that are answered once: the answer is remembered, so a repeat (the reply was lost, or the call
-- arrives only after its caller gave up) is answered alike and changes nothing, whatever happened since.
-- Clients repeat for at most 30 s. For the few calls of operators and of workers that come and go.
local ANSWER_SECONDS = 60

local function remember(request, answer)
  redis.call('SET', answer_key(request), cmsgpack.pack(answer), 'EX', ANSWER_SECONDS)
end

-- Answer a request: by `act`, whose changes are committed, or as before.
local function answer_once(request, act)
  local known = redis.call('GET', answer_key(request))
  if known then return cmsgpack.unpack(known) end
  local answer = act()
  remember(request, answer)
  commit()
  return answer
end
