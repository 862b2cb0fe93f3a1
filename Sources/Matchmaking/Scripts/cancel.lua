-- Purpose: forming | queued → cancelled for one ticket.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 seconds to keep what ended · 3 reason; 'turned-down' is for forming alone · 4 the player who
--   did it, or ''
-- Replies: {1, players, ticket}: whose claims are free now · {0, state of the ticket, or 'gone'}
-- Cost: O(log n) of the queue
-- Why: apart from leave.lua, because a waiting ticket has no match to declare.
local ticket = redis.call('HMGET', KEYS[8], 'state', 'players')
if ticket[1] ~= 'forming' and (ticket[1] ~= 'queued' or ARGV[3] == 'turned-down') then
    return { 0, ticket[1] or 'gone' }
end
if ticket[1] == 'queued' then
    mm_leave(ARGV[1])
else
    mm_forming(-1)
end
redis.call('ZREM', KEYS[4], 't:' .. ARGV[1])
mm_end_ticket(mm_clock(), KEYS[8], ARGV[1], 'cancelled', ARGV[3], ARGV[2], ARGV[4])
return mm_freed({ 1 }, ticket[2], ARGV[1], '')
