-- Purpose: says that a ranker lives (or has stopped), and tells which do.
-- KEYS: 1 rankers ZSET: when each was last heard of
-- ARGV: 1 ranker id · 2 ms after which a silent one counts as dead · 3 '1' to live, '0' to leave
-- Replies: the live rankers, sorted by name
-- Cost: O(n) of the rankers
-- Why: every ranker reckons its share of the pools from the same list.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == '1' then
    redis.call('ZADD', KEYS[1], now, ARGV[1])
else
    redis.call('ZREM', KEYS[1], ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(names)
return names
