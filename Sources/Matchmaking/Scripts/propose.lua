-- Purpose: commits one match of a ranker: queued → proposed for all its tickets, or for none.
-- KEYS: 1–7 common (see fragment.lua) · 8 lease STRING · 9 match HASH · 10… tickets HASH, in the order of the roster
-- ARGV: 1 the lease's value ("owner fence") · 2 match id · 3 ms to accept · 4 specification of the allocation job
--   (see the queue's enqueue_fragment.lua) · 5 roster: ticket ids joined by ',' · 6 team sizes joined by ',' ·
--   7 what the matcher knew, as JSON, for people · 8… ticket ids
-- Replies: {1, accept by in Unix ms} · {0, 'fence'}: the lease is not this ranker's any more ·
--   {0, 'tickets', id, …}: these are not queued any more
-- Cost: O(log n) a ticket
-- Why: the fence is checked in the same call as the tickets, so a ranker that was paused can't match after its pool was
--   taken over, and a ticket can't be in two matches.
local known = redis.call('HGET', KEYS[9], 'acceptBy')
if known then
    return { 1, tonumber(known) }
end
if redis.call('GET', KEYS[8]) ~= ARGV[1] then
    return { 0, 'fence' }
end
local refused = { 0, 'tickets' }
for i = 8, #ARGV do
    if redis.call('HGET', KEYS[i + 2], 'state') ~= 'queued' then
        refused[#refused + 1] = ARGV[i]
        -- Whatever is left of a ticket that is gone would be offered to rankers for ever.
        if redis.call('EXISTS', KEYS[i + 2]) == 0 then
            mm_leave(ARGV[i])
        end
    end
end
if #refused > 2 then
    return refused
end
local now = mm_clock()
local acceptBy = now + ARGV[3]
for i = 8, #ARGV do
    redis.call(
        'HSET', KEYS[i + 2], 'state', 'proposed', 'since', now, 'match', ARGV[2], 'acceptBy', acceptBy,
        'roster', ARGV[5])
    mm_leave(ARGV[i])
    redis.call('ZREM', KEYS[4], 't:' .. ARGV[i])
end
redis.call(
    'HSET', KEYS[9], 'state', 'proposed', 'since', now, 'proposedAt', now, 'acceptBy', acceptBy, 'accepted', 0,
    'roster', ARGV[5], 'teams', ARGV[6], 'allocation', ARGV[4], 'why', ARGV[7])
redis.call('ZADD', KEYS[4], acceptBy, 'm:' .. ARGV[2])
redis.call('ZADD', KEYS[5], now, ARGV[2])
mm_publish(now, 's', 'proposed', 't', ARGV[5])
return { 1, acceptBy }
