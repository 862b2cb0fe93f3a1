-- Purpose: creates a ticket in state queued.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 players joined by ',' · 3 body as JSON (TicketBody) · 4 longest wait in ms
-- Replies: the time queued in Unix ms, or 0 where it was declared void (void.lua)
-- Cost: O(log n) of the queue
-- Why: a ticket id is used once, so a repeated call finds the ticket there and answers as the first one did. A void one
--   lost its player to another ticket meanwhile.
local existing = redis.call('HGET', KEYS[8], 'queuedAt')
if existing then
    return tonumber(existing)
end
if redis.call('EXISTS', KEYS[8]) == 1 then
    return 0
end
local now = mm_clock()
local id = ARGV[1]
redis.call(
    'HSET', KEYS[8], 'state', 'queued', 'players', ARGV[2], 'queuedAt', now, 'since', now, 'body', ARGV[3], 'maxWait',
    ARGV[4])
mm_enter(now, id)
redis.call('ZADD', KEYS[4], now + ARGV[4], 't:' .. id)
mm_publish_queued(now, id, now, ARGV[3])
return now
