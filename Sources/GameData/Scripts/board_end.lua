-- Calls a leaderboard whole, which is from then on what readers see.
--
-- KEYS[1]  HASH  the board's state: token, state (building or built), seenAt (Redis ms), builtAt (Redis ms)
-- ARGV[1]  the filler's token
-- Replies  1 = whole · 0 = Redis has forgotten this filling, or another took over
-- Cost     O(1)
local token = redis.call('HGET', KEYS[1], 'token')
if token ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'state', 'built', 'seenAt', now, 'builtAt', now)
return 1
