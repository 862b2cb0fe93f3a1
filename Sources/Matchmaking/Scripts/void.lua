-- Purpose: sees to it that a ticket which is not there can never come to be.
-- KEYS: 1 ticket HASH
-- ARGV: 1 seconds to keep the mark
-- Replies: 1 = it is not there, and create.lua will refuse it; 0 = it is there
-- Cost: O(1)
-- Why: a claim whose ticket is missing may be of a process that is creating it, was paused, or died. With the mark the
--   claim can be replaced at once, whichever it is, and a player never gets two tickets.
if redis.call('HEXISTS', KEYS[1], 'state') == 1 then
    return 0
end
redis.call('HSET', KEYS[1], 'void', '1')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
