-- Purpose: tells workers to be quiet, to go on or to stop.
-- KEYS: workers HASH, orders HASH (as presence.lua)
-- ARGV: order (quiet, run or stop), worker id, …
-- Replies: for each id 1 = told, 0 = no worker of that id is known, 2 = it was told to stop, which is not taken back
-- Cost: O(ids)
-- Why: only a listed worker can be told something, so that no order lies about for ever. A silent one can: it may only
--   have been paused.
local replies = {}
for i = 2, #ARGV do
    if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then
        replies[#replies + 1] = 0
    elseif redis.call('HGET', KEYS[2], ARGV[i]) == 'stop' and ARGV[1] ~= 'stop' then
        replies[#replies + 1] = 2
    else
        redis.call('HSET', KEYS[2], ARGV[i], ARGV[1])
        replies[#replies + 1] = 1
    end
end
return replies
