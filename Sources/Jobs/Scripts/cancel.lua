-- Purpose: cancels up to 500 jobs, wherever they are; a leased one's worker learns it at its next renewal.
-- KEYS: JobKeys.all
-- ARGV: ids
-- Replies: for each id in order 1 = cancelled, 0 = no such job, 2 = dead (a dead letter is not cancelled but purged)
-- Cost: O(log n) a job; up to a dozen commands each. A callback that waits for n others: O(n)
-- Why: a waiting job is not sought in its list, which would cost O(n): "x<priority>" takes its envelope's place, the stat
--   `tombstones` counts it out of the list's length, and reserve.lua drops it when its turn comes.
local q = muster_queue(1)
local envelopes = redis.call('HMGET', q.jobs, unpack(ARGV))
local states = redis.call('HMGET', q.attempts, unpack(ARGV))
local replies, seen, cancelled, tombstones, bytes = {}, {}, 0, 0, 0
for k, id in ipairs(ARGV) do
    local envelope, state = envelopes[k], states[k]
    if state == 'W' then
        -- A job cancelled just before may have been the last that it waited for.
        state = redis.call('HGET', q.attempts, id)
    end
    if seen[id] or not envelope or string.byte(envelope) == 120 then
        replies[k] = 0
    elseif state and string.byte(state) == 68 then
        replies[k] = 2
    else
        replies[k] = 1
        seen[id] = true
        cancelled, bytes = cancelled + 1, bytes + muster_size(envelope)
        local priority = string.match(envelope, '^%d %d+ (%d)')
        local words = string.byte(envelope) == 50 and muster_words(envelope) or {}
        if state == 'W' then
            redis.call('ZREMRANGEBYLEX', q.waits, '[' .. id .. ' ', '(' .. id .. '!')
            redis.call('HINCRBY', q.stats, 'blocked', -1)
            redis.call('HDEL', q.jobs, id)
        elseif redis.call('ZREM', q.leased, id) + redis.call('ZREM', q.later, id) > 0
            or (words.g and redis.call('ZREM', q.groups, words.g .. ' ' .. priority .. words.q .. ' ' .. id) == 1) then
            redis.call('HDEL', q.jobs, id)
            muster_unhold(q, id, words)
        else
            redis.call('HSET', q.jobs, id, 'x' .. priority)
            tombstones = tombstones + 1
        end
        if state then
            redis.call('HDEL', q.attempts, id)
            redis.call('HDEL', q.progress, id)
        end
        muster_forget(q, id, words, false)
    end
end
if cancelled > 0 then
    redis.call('HINCRBY', q.stats, 'cancelled', cancelled)
    redis.call('HINCRBY', q.stats, 'bytes', -bytes)
    muster_relieve(q.stats, q.wake)
end
if tombstones > 0 then
    redis.call('HINCRBY', q.stats, 'tombstones', tombstones)
end
return replies
