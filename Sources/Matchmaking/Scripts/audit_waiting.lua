-- Purpose: names the tickets with a deadline that do not wait, or are in the queue without being queued, or the other
--   way round.
-- KEYS: 1 queue ZSET · 2 deadlines ZSET · 3… tickets HASH
-- ARGV: 1… ticket ids
-- Replies: {ticket id, …} of those at fault
-- Cost: O(n) of the tickets given, at most 500
-- Why: deadlines, queue and hash are read at one moment.
local reply = {}
for i = 1, #ARGV do
    if redis.call('ZSCORE', KEYS[2], 't:' .. ARGV[i]) then
        local state = redis.call('HGET', KEYS[i + 2], 'state')
        local isQueued = redis.call('ZSCORE', KEYS[1], ARGV[i])
        if not (state == 'queued' and isQueued or state == 'forming' and not isQueued) then
            reply[#reply + 1] = ARGV[i]
        end
    end
end
return reply
