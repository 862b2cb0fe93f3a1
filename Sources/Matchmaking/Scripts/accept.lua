-- Purpose: a player accepts: proposed → accepted for a ticket all of whose players have; the last of a match turns it
--   and all its tickets to placing and enqueues the allocation job.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9–23 the allocation queue's keys (JobKeys.forEnqueue) ·
--   24… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2 index of the ticket in the roster, from 1 · 3 ticket id · 4 job id · 5 ms to place ·
--   6 place of the player in the ticket, from 1; 0 = all its players
-- Replies: {1, state of the ticket after, since when} · {0, state of the ticket, or 'gone', 'late', 'other' (it is in
--   another match)}
-- Cost: O(players of the ticket), the last one O(n log n) of the match's tickets
-- Why: the job is enqueued in the same call, so an accepted match can't be forgotten between two writes.
local key = KEYS[23 + ARGV[2]]
local ticket = redis.call('HMGET', key, 'state', 'match', 'players', 'accepted', 'since', 'acceptedAt')
local state = ticket[1]
if not state then
    return { 0, 'gone' }
end
if ticket[2] ~= ARGV[1] then
    return { 0, state == 'proposed' and 'other' or state }
end
if state == 'accepted' or state == 'placing' or state == 'ready' then
    return { 1, state, tonumber(ticket[5]) }
end
if state ~= 'proposed' then
    return { 0, state }
end
local _, commas = string.gsub(ticket[3], ',', ',')
local before = ticket[4] or string.rep('0', commas + 1)
local place = tonumber(ARGV[6])
local after = string.rep('1', #before)
if place > 0 then
    after = string.sub(before, 1, place - 1) .. '1' .. string.sub(before, place + 1)
end
if before == after then
    return { 1, state, tonumber(ticket[5]) }
end
local match = redis.call('HMGET', KEYS[8], 'state', 'acceptBy', 'players', 'roster', 'allocation')
local now = mm_clock()
if match[1] ~= 'proposed' or now > tonumber(match[2]) then
    return { 0, 'late' }
end
local _, missing = string.gsub(after, '0', '0')
local _, missed = string.gsub(before, '0', '0')
local stamps = {}
for stamp in string.gmatch(ticket[6] or '', '%d+') do stamps[#stamps + 1] = stamp end
for i = 1, #after do
    local isNew = string.sub(before, i, i) == '0' and string.sub(after, i, i) == '1'
    stamps[i] = isNew and string.format('%.0f', now) or stamps[i] or '0'
end
redis.call('HSET', key, 'accepted', after, 'acceptedAt', table.concat(stamps, ','))
if missing == 0 then
    redis.call('HSET', key, 'state', 'accepted', 'since', now)
end
-- Said for each player, so that the others of the party see who has accepted.
mm_publish(now, 's', missing == 0 and 'accepted' or 'proposed', 't', ARGV[3])
if redis.call('HINCRBY', KEYS[8], 'accepted', missed - missing) < tonumber(match[3]) then
    return { 1, missing == 0 and 'accepted' or 'proposed', missing == 0 and now or tonumber(ticket[5]) }
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
return { 1, 'placing', now }
