-- Purpose: queued → cancelled for one ticket.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 seconds to keep what ended
-- Replies: {1, player, ticket} · {0, state of the ticket, or 'gone'}
-- Cost: O(log n) of the queue
-- Why: apart from leave.lua, because a waiting ticket has no match to declare.
local ticket = redis.call('HMGET', KEYS[8], 'state', 'players')
if ticket[1] ~= 'queued' then
    return { 0, ticket[1] or 'gone' }
end
local now = mm_clock()
mm_end(now, KEYS[8], 'cancelled', 'by-player', ARGV[2])
mm_leave(ARGV[1])
redis.call('ZREM', KEYS[4], 't:' .. ARGV[1])
mm_publish(now, 's', 'cancelled', 't', ARGV[1])
return { 1, ticket[2], ARGV[1] }
