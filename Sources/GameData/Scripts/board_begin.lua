-- Begins to fill a leaderboard anew: what was there is gone, and readers turn to SQLite until it is whole.
--
-- KEYS[1]  HASH  the board's state: token, state (building or built), seenAt (Redis ms), builtAt (Redis ms)
-- KEYS[2]  ZSET  reached:player, score = -rating
-- KEYS[3]  HASH  player → "games reached"
-- ARGV[1]  the filler's token
-- ARGV[2]  1 = also where the board is whole or another fills it
-- ARGV[3]  after how long without a sign of life another's filling is given up, ms
-- Replies  1 = begun · 0 = it is whole · -1 = another fills it
-- Cost     O(1); the old keys are freed in the background
-- Why      Whoever fills writes thousands of players in many calls. The token tells a filling that Redis forgot in
--          between, or that another took over, from one that may be called whole.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local board = redis.call('HMGET', KEYS[1], 'state', 'seenAt')
if ARGV[2] ~= '1' then
    if board[1] == 'built' then return 0 end
    if board[1] == 'building' and now - tonumber(board[2]) < tonumber(ARGV[3]) then return -1 end
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'state', 'building', 'seenAt', string.format('%.0f', now))
return 1
