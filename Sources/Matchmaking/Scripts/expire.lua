-- Purpose: forming | queued → expired for a ticket past its deadline: it waited for as long as its mode allows, was
--   abandoned, or not all joined.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 seconds to keep what ended
-- Replies: {1, players, ticket}: whose claims are free now · {0, state of the ticket, 'gone' or 'early'}
-- Cost: O(log n) of the queue
-- Why: a ticket whose client went away must leave by itself.
local ticket = redis.call('HMGET', KEYS[8], 'state', 'players', 'queuedAt', 'maxWait')
local state = ticket[1]
local now = mm_clock()
local due = redis.call('ZSCORE', KEYS[4], 't:' .. ARGV[1])
if (state == 'queued' or state == 'forming') and due and now < tonumber(due) then
    return { 0, 'early' }
end
redis.call('ZREM', KEYS[4], 't:' .. ARGV[1])
if state and state ~= 'queued' and state ~= 'forming' then
    return { 0, state }
end
if state == 'forming' then
    mm_forming(-1)
else
    mm_leave(ARGV[1])
end
if not state then
    if due then
        mm_ended()
    end
    mm_publish(now, 's', 'expired', 't', ARGV[1])
    return { 0, 'gone' }
end
local reason = 'not-joined'
if state == 'queued' then
    reason = now < ticket[3] + ticket[4] and 'abandoned' or 'waited-too-long'
end
mm_end_ticket(now, KEYS[8], ARGV[1], 'expired', reason, ARGV[2], '')
return mm_freed({ 1 }, ticket[2] or '', ARGV[1], '')
