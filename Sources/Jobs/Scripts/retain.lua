-- Purpose: keeps dead letters and results within the queue's limits of age and bytes.
-- KEYS: JobKeys.all
-- ARGV: the most jobs that one call forgets
-- Replies: { dead letters forgotten, results forgotten, 1 = there may be more }
-- Cost: O(log n) a job forgotten
-- Why: apart from reserve.lua, so that the hot path does not pay for it; each worker calls it now and then.
local q = muster_queue(1)
local now = muster_clock()
local most = tonumber(ARGV[1])
local limits = redis.call('HMGET', q.limits, 'dead.age', 'dead.bytes', 'done.bytes')
local purged, forgotten = 0, 0

local function purge(ids)
    for _, id in ipairs(ids) do
        purged = purged + (muster_purge(q, id) and 1 or 0)
    end
end

local function forget(ids)
    for _, id in ipairs(ids) do
        redis.call('HINCRBY', q.stats, 'doneBytes', -redis.call('HSTRLEN', q.results, id))
        redis.call('HDEL', q.results, id)
        redis.call('ZREM', q.done, id)
        forgotten = forgotten + 1
    end
end

if limits[1] then
    purge(redis.call('ZRANGEBYSCORE', q.dead, '-inf', now - limits[1], 'LIMIT', 0, most))
end
while limits[2] and purged < most and tonumber(redis.call('HGET', q.stats, 'deadBytes') or 0) > tonumber(limits[2]) do
    local oldest = redis.call('ZRANGE', q.dead, 0, 0)
    if not oldest[1] then
        break
    end
    purge(oldest)
end
forget(redis.call('ZRANGEBYSCORE', q.done, '-inf', now, 'LIMIT', 0, most))
while limits[3] and forgotten < most and tonumber(redis.call('HGET', q.stats, 'doneBytes') or 0) > tonumber(limits[3]) do
    local first = redis.call('ZRANGE', q.done, 0, 0)
    if not first[1] then
        break
    end
    forget(first)
end
redis.call('ZREMRANGEBYSCORE', q.rates, '-inf', now)
if purged > 0 then
    redis.call('HINCRBY', q.stats, 'purged', purged)
end
return { purged, forgotten, (purged >= most or forgotten >= most) and 1 or 0 }
