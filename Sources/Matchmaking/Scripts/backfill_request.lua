-- Purpose: asks for players for a running match, or changes what was asked for: the backfill ticket is made, or gets
--   another body, and its match's generation rises.
-- KEYS: 1–7 common (see fragment.lua) · 8 running match HASH · 9 backfill ticket HASH
-- ARGV: 1 match id · 2 backfill ticket id · 3 the match's generation so far · 4 open seats of each team joined by ',' ·
--   5 body as JSON (TicketBody), of the next generation · 6 longest wait in ms · 7 ms to the next look
-- Replies: {1, state of the ticket} · {0, state of the match, or 'gone'} · {0, 'changed'}: the generation or the ticket
--   is another by now
-- Cost: O(log n) of the queue
-- Why: a body names its generation, so it can only be made of what was read before; the script sees that nothing came
--   between. A ticket whose players are on their way keeps its state: what it asks for next holds when it is queued
--   again.
-- Another body may have fewer pieces (see mm_keep_body).
local function backfill_ask(key, body)
    local piece = 2
    while redis.call('HDEL', key, 'body' .. piece) == 1 do
        piece = piece + 1
    end
    mm_keep_body(key, body)
end

local match = redis.call('HMGET', KEYS[8], 'state', 'generation', 'backfill')
if match[1] ~= 'ready' then
    return { 0, match[1] or 'gone' }
end
local ticket = redis.call('HMGET', KEYS[9], 'state', 'queuedAt')
local state = ticket[1]
local lives = state == 'queued' or state == 'proposed' or state == 'accepted' or state == 'placing'
if (match[2] or '0') ~= ARGV[3] or (state and not (lives and match[3] == ARGV[2])) then
    return { 0, 'changed' }
end
local now = mm_clock()
local id = ARGV[2]
redis.call('HSET', KEYS[8], 'backfill', id, 'generation', ARGV[3] + 1, 'open', ARGV[4])
if not state then
    redis.call(
        'HSET', KEYS[9], 'state', 'queued', 'players', '', 'queuedAt', now, 'since', now, 'maxWait', ARGV[6],
        'running', ARGV[1])
    mm_created()
    mm_enter(now, id)
    redis.call('ZADD', KEYS[4], now + ARGV[6], 't:' .. id, now + ARGV[7], 'b:' .. id)
end
backfill_ask(KEYS[9], ARGV[5])
if not state or state == 'queued' then
    mm_publish_queued(now, id, ticket[2] or now, ARGV[5])
end
return { 1, state or 'queued' }
