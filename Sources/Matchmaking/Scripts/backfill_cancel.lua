-- Purpose: takes back what a running match asked for.
-- KEYS: 1–7 common (see fragment.lua) · 8 running match HASH · 9 backfill ticket HASH
-- ARGV: 1 backfill ticket id · 2 seconds to keep what ended
-- Replies: 1 = taken back, 0 = the match asks for nothing, or by another ticket
-- Cost: O(log n) of the queue
-- Why: players who are on their way to the seats are found out when they come (backfill_join.lua), because the open
--   seats are written on the match.
if redis.call('HGET', KEYS[8], 'backfill') ~= ARGV[1] then
    return 0
end
redis.call('HDEL', KEYS[8], 'backfill', 'open')
redis.call('HINCRBY', KEYS[8], 'generation', 1)
if redis.call('HGET', KEYS[9], 'state') == 'queued' then
    local now = mm_clock()
    mm_leave(ARGV[1])
    redis.call('ZREM', KEYS[4], 't:' .. ARGV[1], 'b:' .. ARGV[1])
    mm_end_ticket(now, KEYS[9], ARGV[1], 'cancelled', 'taken-back', ARGV[2], '')
end
return 1
