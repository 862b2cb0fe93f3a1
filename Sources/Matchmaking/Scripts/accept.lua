-- Purpose: proposed → accepted for one ticket; the last of a match turns it and all its tickets to placing and enqueues
--   the allocation job.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9–23 the allocation queue's keys (JobKeys.forEnqueue) ·
--   24… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 index of the accepting ticket in the roster, from 1 · 3 ticket id · 4 job id · 5 ms to place
-- Replies: {1, state of the ticket after} · {0, state of the ticket, or 'gone', 'late', 'other' (it is in another
--   match)}
-- Cost: O(1), the last one O(n log n) of the match's tickets
-- Why: the job is enqueued in the same call, so an accepted match can't be forgotten between two writes.
local key = KEYS[23 + ARGV[2]]
local ticket = redis.call('HMGET', key, 'state', 'match')
local state = ticket[1]
if not state then
    return { 0, 'gone' }
end
if ticket[2] ~= ARGV[1] then
    return { 0, state == 'proposed' and 'other' or state }
end
if state == 'accepted' or state == 'placing' or state == 'ready' then
    return { 1, state }
end
if state ~= 'proposed' then
    return { 0, state }
end
local match = redis.call('HMGET', KEYS[8], 'state', 'acceptBy', 'accepted', 'roster', 'allocation')
local now = mm_clock()
if match[1] ~= 'proposed' or now > tonumber(match[2]) then
    return { 0, 'late' }
end
local size = #KEYS - 23
local accepted = redis.call('HINCRBY', KEYS[8], 'accepted', 1)
redis.call('HSET', key, 'state', 'accepted', 'since', now)
mm_publish(now, 's', 'accepted', 't', ARGV[3])
if accepted < size then
    return { 1, 'accepted' }
end
for i = 24, #KEYS do
    redis.call('HSET', KEYS[i], 'state', 'placing', 'since', now)
    redis.call('HDEL', KEYS[i], 'acceptBy')
end
redis.call('HSET', KEYS[8], 'state', 'placing', 'since', now)
redis.call('HDEL', KEYS[8], 'allocation')
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZADD', KEYS[6], now, ARGV[1])
redis.call('ZADD', KEYS[4], now + ARGV[5], 'm:' .. ARGV[1])
muster_enqueue(9, now, { ARGV[4], match[5], '0' })
mm_publish(now, 's', 'placing', 't', match[4])
return { 1, 'placing' }
