-- Purpose: queued → expired for a ticket that waited for as long as its mode allows.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 seconds to keep what ended
-- Replies: {1, player, ticket} · {0, state of the ticket, 'gone' or 'early'}
-- Cost: O(log n) of the queue
-- Why: a ticket whose client went away must leave by itself.
local ticket = redis.call('HMGET', KEYS[8], 'state', 'players', 'queuedAt', 'maxWait')
local state = ticket[1]
if state == 'queued' and mm_clock() < ticket[3] + ticket[4] then
    return { 0, 'early' }
end
redis.call('ZREM', KEYS[4], 't:' .. ARGV[1])
if state and state ~= 'queued' then
    return { 0, state }
end
mm_leave(ARGV[1])
local now = mm_clock()
mm_publish(now, 's', 'expired', 't', ARGV[1])
if not state then
    return { 0, 'gone' }
end
mm_end(now, KEYS[8], 'expired', 'waited-too-long', ARGV[2])
return { 1, ticket[2], ARGV[1] }
