-- Whether the server has memory left for what is sent. Scripts cannot know: workers and monitors read
-- INFO, which costs more than a send, and tell it with each heartbeat and each round of upkeep.
--
-- A verdict holds for one lease, so that it ends by itself when nobody is left to tell. Only sends are
-- refused: what fetch and settle write is what makes room.
local REFUSE_PERCENT = 80
local ALLOW_PERCENT = 75  -- lower, so that the door does not open and shut with each job

-- A verdict that reaches further than one lease was made while the clock ran ahead.
local function memory_is_full()
  return now < full_until and full_until <= now + lease_ms
end

local function judge_memory(percent)
  if not percent then return end
  if percent >= (memory_is_full() and ALLOW_PERCENT or REFUSE_PERCENT) then
    full_until = now + lease_ms
    set_state('full', full_until)
  elseif full_until > 0 then
    full_until = 0
    set_state('full', 0)
  end
end
