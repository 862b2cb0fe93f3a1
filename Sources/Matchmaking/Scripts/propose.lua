-- Purpose: commits one match of a ranker: queued → proposed for all its tickets, or for none; in a mode without
--   acceptance queued → placing, and the allocation job is enqueued.
-- KEYS: 1–7 common (see fragment.lua) · 8 lease STRING · 9 match HASH · 10 waits LIST · 11…10+n tickets HASH, in the
--   order of the roster, a backfill ticket last · then, with a backfill ticket, the running match HASH · then, without
--   acceptance, the allocation queue's keys (JobKeys.forEnqueue)
-- ARGV: 1 the lease's value ("owner fence") · 2 match id · 3 ms to accept, or to place where 4 is '0' · 4 '1' where
--   players must accept · 5 allocation job id · 6 its specification (see the queue's enqueue_fragment.lua) · 7 roster:
--   ticket ids joined by ',' · 8 tickets of each team joined by ',' · 9 how many players · 10 seats of each team that
--   bots take joined by ',', or '' · 11 region · 12 version of the rules · 13 what the matcher knew, as JSON, for
--   people · 14 running match id or '' · 15 the generation of its backfill · 16 seats of each team that are taken there joined
--   by ',' · 17… ticket ids
-- Replies: {1, accept by in Unix ms, or 0} · {0, 'fence'}: the lease is not this ranker's any more ·
--   {0, 'tickets', id, …}: these are not queued any more, or ask for something else by now
-- Cost: O(log n) a ticket
-- Why: the fence is checked in the same call as the tickets, so a ranker that was paused can't match after its pool was
--   taken over, and a ticket can't be in two matches.
local known = redis.call('HMGET', KEYS[9], 'proposedAt', 'acceptBy')
if known[1] then
    return { 1, tonumber(known[2] or 0) }
end
if redis.call('GET', KEYS[8]) ~= ARGV[1] then
    return { 0, 'fence' }
end
local size = #ARGV - 16
local running = ARGV[14] ~= ''
local now = mm_clock()
local refused, waits = { 0, 'tickets' }, {}
for i = 1, size do
    local ticket = redis.call('HMGET', KEYS[10 + i], 'state', 'queuedAt')
    waits[i] = string.format('%.0f', math.max(0, now - (tonumber(ticket[2]) or now)))
    if ticket[1] ~= 'queued' then
        refused[#refused + 1] = ARGV[16 + i]
        -- Whatever is left of a ticket that is gone would be offered to rankers for ever.
        if redis.call('EXISTS', KEYS[10 + i]) == 0 then
            mm_leave(ARGV[16 + i])
        end
    end
end
if running then
    local match = redis.call('HMGET', KEYS[11 + size], 'state', 'backfill', 'generation')
    if match[1] ~= 'ready' or match[2] ~= ARGV[16 + size] or match[3] ~= ARGV[15] then
        refused[#refused + 1] = ARGV[16 + size]
    end
    -- What a running match waited says nothing of how long players wait.
    waits[size] = nil
end
if #refused > 2 then
    return refused
end
local due = now + ARGV[3]
local accepts = ARGV[4] == '1'
local state = accepts and 'proposed' or 'placing'
for i = 1, size do
    local key = KEYS[10 + i]
    redis.call('HSET', key, 'state', state, 'since', now, 'match', ARGV[2], 'roster', ARGV[7])
    if accepts then
        redis.call('HSET', key, 'acceptBy', due)
    end
    mm_leave(ARGV[16 + i])
    redis.call('ZREM', KEYS[4], 't:' .. ARGV[16 + i])
end
redis.call(
    'HSET', KEYS[9], 'state', state, 'since', now, 'proposedAt', now, 'accepted', 0, 'players', ARGV[9], 'roster',
    ARGV[7], 'teams', ARGV[8], 'bots', ARGV[10], 'region', ARGV[11], 'rules', ARGV[12], 'why', ARGV[13])
if running then
    redis.call('HSET', KEYS[9], 'into', ARGV[14], 'seats', ARGV[16])
end
redis.call('ZADD', KEYS[4], due, 'm:' .. ARGV[2])
if accepts then
    redis.call('HSET', KEYS[9], 'acceptBy', due, 'allocation', ARGV[6])
    redis.call('ZADD', KEYS[5], now, ARGV[2])
else
    redis.call('ZADD', KEYS[6], now, ARGV[2])
    muster_enqueue(11 + size + (running and 1 or 0), now, { ARGV[5], ARGV[6], '0' })
end
redis.call('LPUSH', KEYS[10], unpack(waits))
redis.call('LTRIM', KEYS[10], 0, 999)
mm_publish(now, 's', state, 't', ARGV[7])
return { 1, accepts and due or 0 }
