-- Purpose: ends a proposal whose time to accept is over: tickets with a player who kept silent → expired, the others →
--   queued again with their original time.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 seconds to keep what ended · 3… ticket ids in the order of the roster
-- Replies: {1, players, ticket, players, ticket, …}: whose claims are free now (see mm_freed) ·
--   {0, state of the match, 'gone' or 'early'}
-- Cost: O(n log n) of the match's tickets
-- Why: judged by Redis TIME, so a ranker with a wrong clock can't cut anyone's time short.
local match = redis.call('HMGET', KEYS[8], 'state', 'acceptBy')
if match[1] ~= 'proposed' then
    -- The deadline of placing and ready is theirs; any other is nobody's.
    if match[1] ~= 'placing' and match[1] ~= 'ready' then
        redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
        redis.call('ZREM', KEYS[5], ARGV[1])
    end
    return { 0, match[1] or 'gone' }
end
local now = mm_clock()
if now <= tonumber(match[2]) then
    return { 0, 'early' }
end
local reply = { 1 }
for i = 9, #KEYS do
    local ticket = redis.call('HMGET', KEYS[i], 'state', 'match', 'players', 'accepted')
    local id = ARGV[i - 6]
    if ticket[2] == ARGV[1] and (ticket[1] == 'proposed' or ticket[1] == 'accepted') then
        local silent = {}
        local place = 0
        for player in string.gmatch(ticket[3] or '', '[^,]+') do
            place = place + 1
            if not ticket[4] or string.sub(ticket[4], place, place) ~= '1' then
                silent[#silent + 1] = player
            end
        end
        if #silent == 0 then
            mm_requeue(now, KEYS[i], id)
        else
            local by = table.concat(silent, ',')
            mm_end_ticket(now, KEYS[i], id, 'expired', 'not-accepted', ARGV[2], by)
            mm_freed(reply, ticket[3], id, by)
        end
    end
end
mm_end(now, KEYS[8], 'expired', 'not-accepted', ARGV[2])
redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
return reply
