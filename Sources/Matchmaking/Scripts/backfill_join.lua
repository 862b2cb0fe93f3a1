-- Purpose: placing → ready for the tickets of a match that was made for seats of a running one, and placing → finished
--   for that match; the running match gets the tickets. Where the seats are gone, placing → queued and → failed.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9 running match HASH · 10 backfill ticket HASH · 11… players'
--   tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 running match id · 3 backfill ticket id · 4 the running match's generation ·
--   5 its roster after · 6 tickets of each team after · 7 open seats of each team after, joined by ',' ·
--   8 body of the backfill ticket after, or '' where no seat is open · 9 seconds to keep what ended · 10… ticket ids
-- Replies: {1}: they are in · {2}: they are queued again · {0, state of the match, or 'gone'} ·
--   {0, 'changed'}: the running match is another than was read
-- Cost: O(n log n) of the match's tickets
-- Why: the seats are taken in the call that looks whether they are open, so two matches can't take the same one.
-- Another body may have fewer pieces (see mm_keep_body).
local function backfill_ask(key, body)
    local piece = 2
    while redis.call('HDEL', key, 'body' .. piece) == 1 do
        piece = piece + 1
    end
    mm_keep_body(key, body)
end

local match = redis.call('HMGET', KEYS[8], 'state', 'into', 'seats', 'players')
if match[1] == 'finished' and match[2] == ARGV[2] then
    return { 1 }
end
if match[1] ~= 'placing' then
    return { 0, match[1] or 'gone' }
end
local running = redis.call(
    'HMGET', KEYS[9], 'state', 'generation', 'backfill', 'open', 'instance', 'host', 'port')
local now = mm_clock()
local fits = running[1] == 'ready' and running[3] == ARGV[3] and running[4] and match[2] == ARGV[2]
if fits then
    local open = string.gmatch(running[4], '%d+')
    for taken in string.gmatch(match[3] or '', '%d+') do
        fits = fits and tonumber(taken) <= tonumber(open() or 0)
    end
end
if fits and running[2] ~= ARGV[4] then
    return { 0, 'changed' }
end
redis.call('ZREM', KEYS[4], 'm:' .. ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
local asks = redis.call('HMGET', KEYS[10], 'state', 'match', 'queuedAt', 'maxWait')
local is_asking = asks[1] == 'placing' and asks[2] == ARGV[1]
if not fits then
    for i = 11, #KEYS do
        if redis.call('HGET', KEYS[i], 'match') == ARGV[1] then
            mm_requeue(now, KEYS[i], ARGV[i - 1])
        end
    end
    if is_asking then
        mm_requeue(now, KEYS[10], ARGV[3])
    end
    mm_end(now, KEYS[8], 'failed', 'seats-gone', ARGV[9])
    return { 2 }
end
local joined = {}
for i = 11, #KEYS do
    if redis.call('HGET', KEYS[i], 'match') == ARGV[1] then
        redis.call(
            'HSET', KEYS[i], 'state', 'ready', 'since', now, 'match', ARGV[2], 'roster', ARGV[5], 'instance',
            running[5], 'host', running[6], 'port', running[7])
        redis.call('HDEL', KEYS[i], 'acceptBy')
        joined[#joined + 1] = ARGV[i - 1]
    end
end
redis.call('HINCRBY', KEYS[9], 'players', match[4])
redis.call('HINCRBY', KEYS[9], 'generation', 1)
redis.call('HSET', KEYS[9], 'roster', ARGV[5], 'teams', ARGV[6], 'open', ARGV[7])
mm_end(now, KEYS[8], 'finished', 'backfilled', ARGV[9])
mm_publish(now, 's', 'ready', 't', table.concat(joined, ','))
if ARGV[8] == '' then
    redis.call('HDEL', KEYS[9], 'backfill', 'open')
    if is_asking then
        mm_end_ticket(now, KEYS[10], ARGV[3], 'finished', 'filled', ARGV[9], '')
        redis.call('ZREM', KEYS[4], 'b:' .. ARGV[3])
    end
elseif is_asking then
    backfill_ask(KEYS[10], ARGV[8])
    mm_requeue(now, KEYS[10], ARGV[3])
end
return { 1 }
