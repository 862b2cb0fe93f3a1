-- Purpose: names the members of a queue whose ticket is not in state queued.
-- KEYS: 1 queue ZSET · 2… tickets HASH
-- ARGV: 1… ticket ids
-- Replies: {ticket id, …} of those at fault
-- Cost: O(n) of the tickets given, at most 500
-- Why: queue and hash are read at one moment.
local reply = {}
for i = 1, #ARGV do
    if redis.call('ZSCORE', KEYS[1], ARGV[i]) and redis.call('HGET', KEYS[i + 1], 'state') ~= 'queued' then
        reply[#reply + 1] = ARGV[i]
    end
end
return reply
