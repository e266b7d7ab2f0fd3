-- Accept jobs that no policy limits or protects: one round trip, all or nothing for each job. (The same
-- with policies is enqueue_limited; the functions which that one needs would be 5 of 40 microseconds here.)
--
-- include: keys record fleet ended memory metrics journal waiting lines backlog commit accept door
--
-- KEYS[1]  namespace in braces
-- ARGV, and what is returned: see door.lua; every policy is ''
local now = read_clock()
return take_in()
