-- Purpose: tells a player of the party that a ticket invites to.
-- KEYS: 1 invitations ZSET with TTL, ticket id → until when in Unix ms
-- ARGV: 1 ticket id · 2 ms the invitation lasts · 3 at most so many
-- Replies: 1
-- Cost: O(log n) of the invitations, which are few
-- Why: in a player's slot, so apart from the ticket, but written before it: an invitation to a ticket that isn't there
--   is passed over by whoever reads it. The oldest give way, so that nobody can fill a player's memory.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
