-- Purpose: puts off when a waiting ticket counts as abandoned, because somebody asked for it.
-- KEYS: 1 deadlines ZSET · 2 ticket HASH
-- ARGV: 1 ticket id
-- Replies: 1 = put off · 0 = it does not wait, or is never abandoned
-- Cost: O(log n) of the deadlines
-- Why: never past the longest wait, so that asking again and again does not keep a ticket for ever.
local ticket = redis.call('HMGET', KEYS[2], 'state', 'queuedAt', 'maxWait', 'quiet')
if ticket[1] ~= 'queued' or not ticket[4] then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], 'XX', math.min(ticket[2] + ticket[3], now + ticket[4]), 't:' .. ARGV[1])
return 1
