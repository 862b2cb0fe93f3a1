-- Purpose: a member joins a party that is forming; the last one puts its ticket in the queue.
-- KEYS: 1–7 common (see fragment.lua) · 8 ticket HASH
-- ARGV: 1 ticket id · 2 the member's place in the party, from 1 · 3 the member as JSON (TicketMember) · 4 how many had
--   joined when the member was held against them
-- Replies: {1} · {0, state of the ticket, 'gone', or 'changed' (others joined meanwhile: look again)}
-- Cost: O(members + log n of the queue)
-- Why: the rules of a party (a region within everyone's latency, nobody's avoid-list) are judged by the caller against
--   those who are there, so nobody may come in between. The body is put together here, for only here is it known who
--   is the last.
local key = KEYS[8]
local ticket = redis.call('HMGET', key, 'state', 'joined', 'players', 'maxWait', 'quiet', 'm' .. ARGV[2])
if ticket[1] ~= 'forming' then
    return { 0, ticket[1] or 'gone' }
end
if ticket[6] then
    return { 1 }
end
if ticket[2] ~= ARGV[4] then
    return { 0, 'changed' }
end
local now = mm_clock()
local id = ARGV[1]
redis.call('HSET', key, 'm' .. ARGV[2], ARGV[3])
local joined = redis.call('HINCRBY', key, 'joined', 1)
local _, commas = string.gsub(ticket[3], ',', ',')
if joined <= commas then
    mm_publish(now, 's', 'forming', 't', id)
    return { 1 }
end
local places = {}
for place = 1, joined do
    places[place] = 'm' .. place
end
local body = '{"m":[' .. table.concat(redis.call('HMGET', key, unpack(places)), ',') .. ']}'
-- The head start of the leader is that of all.
local queuedAt = now - tonumber(redis.call('HGET', key, 'head') or 0)
redis.call('HDEL', key, 'joined', 'head', unpack(places))
redis.call('HSET', key, 'state', 'queued', 'queuedAt', queuedAt, 'since', now)
mm_forming(-1)
mm_keep_body(key, body)
mm_enter(queuedAt, id)
mm_wait_until(id, now, queuedAt, ticket[4], ticket[5] or nil)
mm_publish_queued(now, id, queuedAt, body)
return { 1 }
