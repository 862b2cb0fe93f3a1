-- Purpose: names the members of a queue whose ticket is not in state queued, or has no deadline.
-- KEYS: 1 queue ZSET · 2 deadlines ZSET · 3… tickets HASH
-- ARGV: 1… ticket ids
-- Replies: {ticket id, …} of those at fault
-- Cost: O(n) of the tickets given, at most 500
-- Why: queue, deadlines and hash are read at one moment.
local reply = {}
for i = 1, #ARGV do
    local isFine = redis.call('HGET', KEYS[i + 2], 'state') == 'queued'
        and redis.call('ZSCORE', KEYS[2], 't:' .. ARGV[i])
    if redis.call('ZSCORE', KEYS[1], ARGV[i]) and not isFine then
        reply[#reply + 1] = ARGV[i]
    end
end
return reply
