-- Purpose: cancels up to 500 jobs, wherever they are; a leased one's worker learns it at its next renewal.
-- KEYS: jobs HASH, later ZSET, stats HASH, attempts HASH, leased ZSET
-- ARGV: ids
-- Replies: for each id in order 1 = cancelled, 0 = no such job, 2 = dead (a dead letter is not cancelled but removed)
-- Cost: O(log n) a job; up to five commands each
-- Why: a waiting job is not sought in its list, which would cost O(n): "x<priority>" takes its envelope's place, the stat
--   `tombstones` counts it out of the list's length, and reserve.lua drops it when its turn comes.
local envelopes = redis.call('HMGET', KEYS[1], unpack(ARGV))
local states = redis.call('HMGET', KEYS[4], unpack(ARGV))
local replies, seen, cancelled, tombstones = {}, {}, 0, 0
for k, id in ipairs(ARGV) do
    local envelope, state = envelopes[k], states[k]
    if seen[id] or not envelope or string.byte(envelope) ~= 49 then
        replies[k] = 0
    elseif state and string.byte(state) == 68 then
        replies[k] = 2
    else
        replies[k] = 1
        seen[id] = true
        cancelled = cancelled + 1
        if redis.call('ZREM', KEYS[5], id) + redis.call('ZREM', KEYS[2], id) > 0 then
            redis.call('HDEL', KEYS[1], id)
        else
            redis.call('HSET', KEYS[1], id, 'x' .. string.match(envelope, '^1 %d+ (%d)'))
            tombstones = tombstones + 1
        end
        if state then
            redis.call('HDEL', KEYS[4], id)
        end
    end
end
if cancelled > 0 then
    redis.call('HINCRBY', KEYS[3], 'cancelled', cancelled)
end
if tombstones > 0 then
    redis.call('HINCRBY', KEYS[3], 'tombstones', tombstones)
end
return replies
