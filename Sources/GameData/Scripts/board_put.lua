-- Puts players on a leaderboard, those that it does not have newer already.
--
-- KEYS[1]  HASH  the board's state: token, state (building or built), seenAt (Redis ms), builtAt (Redis ms)
-- KEYS[2]  ZSET  reached:player, score = -rating
-- KEYS[3]  HASH  player → "games reached"
-- ARGV[1]  the filler's token; '' = a player's standing changed
-- ARGV[2…] four for each player, 250 at most: id, -rating, when the rating was reached (15 digits, Unix ms), rated games
-- Replies  how many changed · -1 = there is no board, or not of this filling
-- Cost     O(players · log n)
-- Why      Redis sorts equal scores by member: the time in front of it puts who was there first first. Games only
--          grow, so they tell the newer of two standings in whatever order they come.
local token = redis.call('HGET', KEYS[1], 'token')
if not token or (ARGV[1] ~= '' and ARGV[1] ~= token) then return -1 end
local changed = 0
for i = 2, #ARGV, 4 do
    local player, score, reached, games = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local known = redis.call('HGET', KEYS[3], player)
    local knownGames, knownReached
    if known then knownGames, knownReached = string.match(known, '^(%d+) (%d+)$') end
    if not knownGames or tonumber(games) > tonumber(knownGames) then
        if knownReached and knownReached ~= reached then
            redis.call('ZREM', KEYS[2], knownReached .. ':' .. player)
        end
        redis.call('ZADD', KEYS[2], score, reached .. ':' .. player)
        redis.call('HSET', KEYS[3], player, games .. ' ' .. reached)
        changed = changed + 1
    end
end
if ARGV[1] ~= '' then
    local time = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'seenAt', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
return changed
