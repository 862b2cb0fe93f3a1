-- Purpose: says which pools a ranker's rules have, and tells which there are by anyone's rules, or were lately.
-- KEYS: 1 pools ZSET: when each was last in somebody's rules
-- ARGV: 1 ms after which a pool that is in nobody's rules is forgotten · 2… pools
-- Replies: the pools, sorted by name
-- Cost: O(n log n) of the pools
-- Why: what waits in a pool that was taken out of the rules must still expire, even after every ranker was restarted.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV do
    redis.call('ZADD', KEYS[1], now, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(names)
return names
