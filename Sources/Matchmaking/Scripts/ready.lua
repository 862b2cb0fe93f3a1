-- Purpose: placing → ready for a match and all its tickets: writes where to connect.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 instance id · 3 host · 4 port · 5 ms a match may last
-- Replies: {1} · {0, state of the match, or 'gone'}
-- Cost: O(n) of the match's tickets
-- Why: a repeated call for the same instance answers as the first; another instance is refused, so that a stale
--   allocator can't move players.
local match = redis.call('HMGET', KEYS[8], 'state', 'instance', 'roster')
if match[1] == 'ready' and match[2] == ARGV[2] then
    return { 1 }
end
if match[1] ~= 'placing' then
    return { 0, match[1] or 'gone' }
end
local now = mm_clock()
for i = 8, #KEYS do
    redis.call(
        'HSET', KEYS[i], 'state', 'ready', 'since', now, 'instance', ARGV[2], 'host', ARGV[3], 'port', ARGV[4])
end
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('ZADD', KEYS[7], now, ARGV[1])
redis.call('ZADD', KEYS[4], now + ARGV[5], 'm:' .. ARGV[1])
mm_publish(now, 's', 'ready', 't', match[3])
return { 1 }
