-- Purpose: one ticket leaves a proposal: proposed → declined, or proposed | accepted → cancelled; the others go back to
--   the queue with their original time, and the match ends.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 index of the leaving ticket, from 1 · 3 'declined' or 'cancelled' · 4 seconds to keep what ended
--   · 5 reason · 6 the players who did it, joined by ',', or '' (nobody is to blame) · 7… ticket ids in the order of
--   the roster
-- Replies: {1, players, ticket}: whose claims are free (see mm_freed) · {0, state of the ticket, or 'gone', 'other'}
-- Cost: O(n log n) of the match's tickets
-- Why: who waited and did accept must not lose their place by another's decline.
local index = tonumber(ARGV[2])
local key = KEYS[8 + index]
local ticket = redis.call('HMGET', key, 'state', 'match', 'players')
local state = ticket[1]
if not state then
    return { 0, 'gone' }
end
if not (state == 'proposed' or (state == 'accepted' and ARGV[3] == 'cancelled')) then
    return { 0, state }
end
if ticket[2] ~= ARGV[1] or redis.call('HGET', KEYS[8], 'state') ~= 'proposed' then
    return { 0, 'other' }
end
local now = mm_clock()
for i = 9, #KEYS do
    if i == 8 + index then
        mm_end_ticket(now, key, ARGV[6 + index], ARGV[3], ARGV[5], ARGV[4], ARGV[6])
    else
        mm_requeue(now, KEYS[i], ARGV[i - 2])
    end
end
mm_end(now, KEYS[8], ARGV[3], ARGV[5], ARGV[4])
redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
return mm_freed({ 1 }, ticket[3], ARGV[6 + index], ARGV[6])
