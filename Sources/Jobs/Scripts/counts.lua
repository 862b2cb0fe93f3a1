-- Purpose: one consistent view of a queue: how many jobs are where, and the counters.
-- KEYS: JobKeys.all
-- ARGV: none
-- Replies: { waiting, later, leased, dead, age of the oldest waiting job (ms since it was enqueued; -1: none waits), stats: field, value, … }
-- Cost: O(1); some 18 commands
-- Why: counted in one script, so that the books (QueueCounts.isBalanced) hold at every look.
local q = muster_queue(1)
local now = muster_clock()
local oldest = -1
local waiting = redis.call('ZCARD', q.groups)
for level = 1, 4 do
    local length = redis.call('LLEN', q.ready[level])
    waiting = waiting + length
    if length > 0 then
        local envelope = redis.call('HGET', q.jobs, redis.call('LINDEX', q.ready[level], 0))
        local enqueued = envelope and string.match(envelope, '^%d (%d+)')
        if enqueued and now - enqueued > oldest then
            oldest = math.max(0, now - enqueued)
        end
    end
end
local key = redis.call('ZRANGE', q.ring, 0, 0)[1]
local first = key and redis.call('ZRANGEBYLEX', q.groups, '[' .. key .. ' ', '(' .. key .. '!', 'LIMIT', 0, 1)[1]
    or redis.call('ZRANGE', q.groups, 0, 0)[1]
if first then
    local envelope = redis.call('HGET', q.jobs, string.match(first, '^%S+ %S+ (%S+)$'))
    local enqueued = envelope and string.match(envelope, '^%d (%d+)')
    if enqueued and now - enqueued > oldest then
        oldest = math.max(0, now - enqueued)
    end
end
local tombstones = redis.call('HGET', q.stats, 'tombstones')
if tombstones then
    waiting = waiting - tombstones
end
local stats = redis.call('HGETALL', q.stats)
return {
    waiting, redis.call('ZCARD', q.later), redis.call('ZCARD', q.leased), redis.call('ZCARD', q.dead), oldest, stats,
}
