-- Purpose: what is past its deadline, and what time it is.
-- KEYS: 1 deadlines ZSET
-- ARGV: 1 at most so many
-- Replies: {now in Unix ms, member, …}; a member is 't:<ticket id>' or 'm:<match id>'
-- Cost: O(log n + answered)
-- Why: the ranker learns Redis's time with each look, and never judges waiting by its own clock.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, ARGV[1])
table.insert(reply, 1, now)
return reply
