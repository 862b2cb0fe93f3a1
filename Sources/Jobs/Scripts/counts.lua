-- Purpose: one consistent view of a queue: how many jobs are where, and the counters.
-- KEYS: jobs HASH, later ZSET, stats HASH, ready:0 … ready:3 LIST, leased ZSET, dead ZSET
-- ARGV: none
-- Replies: { waiting, later, leased, dead, age of the oldest waiting job (ms since it was enqueued; -1: none waits), stats: field, value, … }
-- Cost: O(1); some 16 commands
-- Why: counted in one script, so that enqueued = completed + waiting + leased + later + dead + cancelled holds at every look.
local now = muster_clock()
local waiting, oldest = 0, -1
for level = 1, 4 do
    local key = KEYS[3 + level]
    local length = redis.call('LLEN', key)
    waiting = waiting + length
    if length > 0 then
        local envelope = redis.call('HGET', KEYS[1], redis.call('LINDEX', key, 0))
        local enqueued = envelope and string.match(envelope, '^1 (%d+)')
        if enqueued and now - enqueued > oldest then
            oldest = math.max(0, now - enqueued)
        end
    end
end
local tombstones = redis.call('HGET', KEYS[3], 'tombstones')
if tombstones then
    waiting = waiting - tombstones
end
local stats = redis.call('HGETALL', KEYS[3])
return {
    waiting, redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[8]), redis.call('ZCARD', KEYS[9]), oldest, stats,
}
