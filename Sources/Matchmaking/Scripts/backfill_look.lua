-- Purpose: queued → cancelled for a backfill ticket whose match runs no more, or asks by another one.
-- KEYS: 1–7 common (see fragment.lua) · 8 backfill ticket HASH · 9 running match HASH
-- ARGV: 1 backfill ticket id · 2 ms to the next look · 3 seconds to keep what ended
-- Replies: 1 = ended, 0 = it lives, or had ended
-- Cost: O(log n) of the queue
-- Why: the end of a match is then no different for having asked for players; a proposal for it is refused from that
--   moment on, and the ticket goes by the next look.
local state = redis.call('HGET', KEYS[8], 'state')
local now = mm_clock()
local match = redis.call('HMGET', KEYS[9], 'state', 'backfill')
local is_asked = match[1] == 'ready' and match[2] == ARGV[1]
local is_under_way = state == 'proposed' or state == 'accepted' or state == 'placing'
if is_under_way or (state == 'queued' and is_asked) then
    redis.call('ZADD', KEYS[4], now + ARGV[2], 'b:' .. ARGV[1])
    return 0
end
redis.call('ZREM', KEYS[4], 'b:' .. ARGV[1])
if is_asked then
    redis.call('HDEL', KEYS[9], 'backfill', 'open')
end
if state ~= 'queued' then
    return 0
end
local reason = match[1] == 'ready' and 'taken-back' or 'match-ended'
mm_leave(ARGV[1])
redis.call('ZREM', KEYS[4], 't:' .. ARGV[1])
mm_end_ticket(now, KEYS[8], ARGV[1], 'cancelled', reason, ARGV[3], '')
return 1
