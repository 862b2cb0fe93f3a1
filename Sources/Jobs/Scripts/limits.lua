-- Purpose: sets limits of the queue, and lets those go on that the former limits held back.
-- KEYS: JobKeys.all
-- ARGV: two per limit: field · value ('' takes the limit away)
-- Replies: 1
-- Cost: O(keys held back · log n)
-- Why: the change and its effect in one call: a raised limit must not wait for the next job's end.
local q = muster_queue(1)
for i = 1, #ARGV, 2 do
    if ARGV[i + 1] == '' then
        redis.call('HDEL', q.limits, ARGV[i])
    else
        redis.call('HSET', q.limits, ARGV[i], ARGV[i + 1])
    end
end
for _, key in ipairs(redis.call('ZRANGE', q.gates, 0, -1)) do
    redis.call('ZREM', q.gates, key)
    muster_open(q, key)
end
redis.call('HDEL', q.stats, 'throttled')
muster_wake(q.wake)
return 1
