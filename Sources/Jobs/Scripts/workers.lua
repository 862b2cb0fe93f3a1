-- Purpose: lists the workers of a queue, with what they were told.
-- KEYS: workers HASH, orders HASH (as presence.lua)
-- ARGV: keep (ms): those silent for longer are forgotten
-- Replies: worker id, ms until it counts as silent (below 0: for so long it has been), description, order or '', …
-- Cost: O(workers of the queue)
-- Why: a worker that was killed stays on the list for a while as silent: that it is gone is what an operator looks for.
local listed = muster_workers(KEYS[1], KEYS[2], muster_time(), tonumber(ARGV[1]))
local reply = {}
for i = 1, #listed, 3 do
    reply[#reply + 1] = listed[i]
    reply[#reply + 1] = listed[i + 1]
    reply[#reply + 1] = listed[i + 2]
    reply[#reply + 1] = redis.call('HGET', KEYS[2], listed[i]) or ''
end
return reply
