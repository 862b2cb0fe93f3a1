-- Purpose: forgets one dead letter; shared by purge.lua and retain.lua.
-- KEYS: JobKeys.all, by way of `q`
-- ARGV: none of its own
-- Replies: muster_purge returns whether there was such a dead letter
-- Cost: O(log n); some six commands
-- Why: an operator's purge and the retention limits must keep the same books.
local function muster_purge(q, id)
    if redis.call('ZREM', q.dead, id) == 0 then
        return false
    end
    local envelope = redis.call('HGET', q.jobs, id)
    redis.call('HDEL', q.jobs, id)
    redis.call('HDEL', q.attempts, id)
    if envelope then
        redis.call('HINCRBY', q.stats, 'bytes', -muster_size(envelope))
        redis.call('HINCRBY', q.stats, 'deadBytes', -muster_size(envelope))
        if string.byte(envelope) == 50 then
            muster_forget(q, id, muster_words(envelope), false)
        end
    end
    return true
end
