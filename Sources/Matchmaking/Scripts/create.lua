-- Purpose: creates a ticket: queued, or forming where others are to join it.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 players joined by ',', the leader first · 3 body as JSON (TicketBody); with others to join, the
--   leader as JSON (TicketMember) · 4 longest wait in ms · 5 ms after which a ticket that nobody asks for is abandoned,
--   0 = never · 6 ms that the others have to join, 0 = nobody is to join · 7 head start in ms: a ticket that is queued now
--   counts as queued so much earlier
-- Replies: the time queued (or created) in Unix ms, or 0 where it was declared void (void.lua)
-- Cost: O(log n) of the queue
-- Why: a ticket id is used once, so a repeated call finds the ticket there and answers as the first one did. A void one
--   lost its player to another ticket meanwhile.
local key = KEYS[8]
local existing = redis.call('HGET', key, 'queuedAt')
if existing then
    return tonumber(existing)
end
if redis.call('EXISTS', key) == 1 then
    return 0
end
local now = mm_clock()
local id = ARGV[1]
local isForming = ARGV[6] ~= '0'
-- Never more than half of the longest wait, which goes on from the time that is queued at.
local head = math.min(tonumber(ARGV[7] or '0'), math.floor(tonumber(ARGV[4]) / 2))
local queuedAt = isForming and now or now - head
redis.call(
    'HSET', key, 'state', isForming and 'forming' or 'queued', 'players', ARGV[2], 'queuedAt', queuedAt, 'maxWait',
    ARGV[4])
local quiet = nil
if ARGV[5] ~= '0' then
    quiet = ARGV[5]
    redis.call('HSET', key, 'quiet', quiet)
end
mm_created()
if isForming then
    mm_forming(1)
    redis.call('HSET', key, 'm1', ARGV[3], 'joined', 1)
    if head > 0 then
        redis.call('HSET', key, 'head', head)
    end
    redis.call('ZADD', KEYS[4], now + ARGV[6], 't:' .. id)
    mm_publish(now, 's', 'forming', 't', id)
    return now
end
mm_keep_body(key, ARGV[3])
mm_enter(queuedAt, id)
mm_wait_until(id, now, queuedAt, ARGV[4], quiet)
mm_publish_queued(now, id, queuedAt, ARGV[3])
return queuedAt
