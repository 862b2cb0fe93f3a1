-- Reads some lines of a leaderboard: from a rank on, or around a player.
--
-- KEYS[1]  HASH  the board's state: token, state (building or built), seenAt (Redis ms), builtAt (Redis ms)
-- KEYS[2]  ZSET  reached:player, score = -rating
-- KEYS[3]  HASH  player → "games reached"
-- ARGV[1]  a player to look around; '' = from a rank on
-- ARGV[2]  the first line's rank, from 0; around a player, how many lines on either side
-- ARGV[3]  how many lines; around a player, of no matter
-- Replies  {} = the board is not whole · {players on it, rank of the first line from 0, rank of the player from 0 or
--          -1, then for each line: player, -rating, "games reached"}
-- Cost     O(log n + lines)
-- Why      Rank, lines and games are of one moment, and a board that is half filled is never shown.
if redis.call('HGET', KEYS[1], 'state') ~= 'built' then return {} end
local total = redis.call('ZCARD', KEYS[2])
local first, count, rank = tonumber(ARGV[2]), tonumber(ARGV[3]), -1
if ARGV[1] ~= '' then
    local known = redis.call('HGET', KEYS[3], ARGV[1])
    if not known then return { total, 0, -1 } end
    rank = redis.call('ZRANK', KEYS[2], string.match(known, ' (%d+)$') .. ':' .. ARGV[1])
    if not rank then return { total, 0, -1 } end
    count = first * 2 + 1
    first = math.max(0, rank - first)
end
local lines = redis.call('ZRANGE', KEYS[2], first, first + count - 1, 'WITHSCORES')
local reply = { total, first, rank }
for i = 1, #lines, 2 do
    -- 15 digits and a colon come before the player.
    local player = string.sub(lines[i], 17)
    reply[#reply + 1] = player
    reply[#reply + 1] = lines[i + 1]
    reply[#reply + 1] = redis.call('HGET', KEYS[3], player) or '0 0'
end
return reply
