-- Purpose: sets limits of the queue, and lets those go on that the former limits held back.
-- KEYS: JobKeys.all
-- ARGV: two per limit: field · value ('' takes the limit away)
-- Replies: 1
-- Cost: O(limits + keys held back · log n)
-- Why: the change and its effect in one call: a raised limit must not wait for the next job's end.
local q = muster_queue(1)

-- A rate that is changed begins anew: the times that the former one left may lie far ahead.
local function forget_rates(field)
    local key = string.match(field, '^key%.rate:(.*)$')
    if field == 'rate' then
        redis.call('ZREM', q.rates, '')
    elseif key then
        redis.call('ZREM', q.rates, key)
    elseif field == 'key.rate' then
        local whole = redis.call('ZSCORE', q.rates, '')
        redis.call('DEL', q.rates)
        if whole then
            redis.call('ZADD', q.rates, whole, '')
        end
    end
end

for i = 1, #ARGV, 2 do
    local field, value = ARGV[i], ARGV[i + 1]
    if (redis.call('HGET', q.limits, field) or '') ~= value then
        forget_rates(field)
        if value == '' then
            redis.call('HDEL', q.limits, field)
        else
            redis.call('HSET', q.limits, field, value)
        end
    end
end
-- Says to reserve.lua that single keys have limits of their own.
redis.call('HDEL', q.limits, 'overrides')
for _, field in ipairs(redis.call('HKEYS', q.limits)) do
    if string.find(field, ':', 1, true) then
        redis.call('HSET', q.limits, 'overrides', 1)
        break
    end
end
for _, key in ipairs(redis.call('ZRANGE', q.gates, 0, -1)) do
    redis.call('ZREM', q.gates, key)
    muster_open(q, key)
end
redis.call('HDEL', q.stats, 'throttled')
muster_wake(q.wake)
return 1
