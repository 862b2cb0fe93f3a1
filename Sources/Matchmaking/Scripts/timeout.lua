-- Purpose: ends a proposal whose time to accept is over: who kept silent → expired, who accepted → queued again with
--   their original time.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 seconds to keep what ended · 3… ticket ids in the order of the roster
-- Replies: {1, player, ticket, player, ticket, …}: whose claims are free now · {0, state of the match, 'gone' or
--   'early'}
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
    local ticket = redis.call('HMGET', KEYS[i], 'state', 'match', 'players')
    local id = ARGV[i - 6]
    if ticket[2] == ARGV[1] then
        if ticket[1] == 'accepted' then
            mm_requeue(now, KEYS[i], id)
        elseif ticket[1] == 'proposed' then
            mm_end(now, KEYS[i], 'expired', 'not-accepted', ARGV[2])
            mm_publish(now, 's', 'expired', 't', id)
            reply[#reply + 1] = ticket[3]
            reply[#reply + 1] = id
        end
    end
end
mm_end(now, KEYS[8], 'expired', 'not-accepted', ARGV[2])
redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
return reply
