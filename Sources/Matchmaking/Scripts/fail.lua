-- Purpose: ends a match that can't be played. From placing its tickets go back to the queue with their original time,
--   or to failed after so many placements; from ready they go to failed, because the players were already sent there.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 reason · 3 most placements a ticket · 4 seconds to keep what ended ·
--   5 '1' to act only past the match's deadline · 6… ticket ids in the order of the roster
-- Replies: {1, players, ticket, players, ticket, …}: whose claims are free now · {0, state of the match, 'gone' or
--   'early'} · {0, 'changed'}: the match got other tickets meanwhile
-- Cost: O(n log n) of the match's tickets
-- Why: counted on the ticket, so that one which breaks every placement can't go round for ever.
local match = redis.call('HMGET', KEYS[8], 'state', 'roster')
local from = match[1]
if from ~= 'placing' and from ~= 'ready' then
    return { 0, from or 'gone' }
end
local _, commas = string.gsub(match[2], ',', ',')
if commas + 1 ~= #KEYS - 8 then
    return { 0, 'changed' }
end
local now = mm_clock()
if ARGV[5] == '1' then
    local due = redis.call('ZSCORE', KEYS[4], 'm:' .. ARGV[1])
    if due and now <= tonumber(due) then
        return { 0, 'early' }
    end
end
local reply = { 1 }
for i = 9, #KEYS do
    local id = ARGV[i - 3]
    local ticket = redis.call('HMGET', KEYS[i], 'match', 'players')
    if ticket[1] == ARGV[1] then
        local attempts = redis.call('HINCRBY', KEYS[i], 'placements', 1)
        if from == 'placing' and attempts < tonumber(ARGV[3]) then
            mm_requeue(now, KEYS[i], id)
        else
            mm_end_ticket(now, KEYS[i], id, 'failed', ARGV[2], ARGV[4], '')
            mm_freed(reply, ticket[2] or '', id, '')
        end
    end
end
mm_end(now, KEYS[8], 'failed', ARGV[2], ARGV[4])
redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
return reply
