-- Purpose: ready → finished for a match and all its tickets.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 seconds to keep what ended · 3… ticket ids in the order of the roster
-- Replies: {1, players, ticket, players, ticket, …}: whose claims are free now · {0, state of the match, or 'gone'} ·
--   {0, 'changed'}: the match got other tickets meanwhile
-- Cost: O(n) of the match's tickets
-- Why: the result is already safe in the records; this only frees the players for their next match.
local match = redis.call('HMGET', KEYS[8], 'state', 'roster')
if match[1] ~= 'ready' then
    return { 0, match[1] or 'gone' }
end
local _, commas = string.gsub(match[2], ',', ',')
if commas + 1 ~= #KEYS - 8 then
    return { 0, 'changed' }
end
local now = mm_clock()
local reply = { 1 }
for i = 9, #KEYS do
    local ticket = redis.call('HMGET', KEYS[i], 'match', 'players')
    if ticket[1] == ARGV[1] then
        mm_end(now, KEYS[i], 'finished', 'played', ARGV[2])
        mm_ended()
        mm_freed(reply, ticket[2] or '', ARGV[i - 6], '')
    end
end
mm_end(now, KEYS[8], 'finished', 'played', ARGV[2])
redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
mm_publish(now, 's', 'finished', 't', match[2])
return reply
