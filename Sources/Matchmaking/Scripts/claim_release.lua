-- Purpose: frees a player that a ticket claims, and cools the player down who ended the ticket by declining or by
--   silence, or left a match.
-- KEYS: 1 claim STRING · 2 cooldown HASH with TTL: count · last, until in Unix ms · cause
-- ARGV: 1 ticket id (or the match that was left) · 2 ms of a first cooldown, 0 = none · 3 factor for each further one ·
--   4 most ms · 5 ms after which a further one is a first again
-- Replies: {1 = freed, 0 = another ticket claims the player, or none; until when the player may not queue, or 0}
-- Cost: O(1)
-- Why: a late release must not free the player from a newer ticket. Both in one script, so that nobody slips into the
--   queue between the two; the cause is kept, so that a repeated call does not punish twice.
local freed = 0
if redis.call('GET', KEYS[1]) == ARGV[1] then
    freed = redis.call('DEL', KEYS[1])
end
local first = tonumber(ARGV[2])
if first == 0 then
    return { freed, 0 }
end
local known = redis.call('HMGET', KEYS[2], 'cause', 'count', 'last', 'until')
if known[1] == ARGV[1] then
    return { freed, tonumber(known[4]) }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count = 1
if known[2] and now - known[3] < tonumber(ARGV[5]) then
    count = known[2] + 1
end
local length = math.floor(math.min(first * ARGV[3] ^ (count - 1), tonumber(ARGV[4])))
local till = math.max(now + length, tonumber(known[4] or 0))
redis.call('HSET', KEYS[2], 'cause', ARGV[1], 'count', count, 'last', now, 'until', till)
redis.call('PEXPIRE', KEYS[2], math.max(tonumber(ARGV[5]), till - now, 1))
return { freed, till }
