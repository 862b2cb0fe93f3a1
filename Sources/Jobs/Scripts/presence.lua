-- Purpose: says that a worker lives, or (with ttl 0) that it has ended, and asks what it is to do.
-- KEYS: workers HASH (worker id → "<ms until it counts as silent> <description>"), orders HASH (worker id → order)
-- ARGV: worker id, ttl (ms until it counts as silent), keep (ms; over 0: forgets those silent for longer), description
-- Replies: the order that holds for the worker: quiet, run or stop; '' where there is none
-- Cost: O(1); with keep, which a worker sends once, O(workers of the queue)
-- Why: the order comes with the reply, so that obeying needs no channel of its own. It stays until the worker ends: a
--   reply that is lost on the way is repeated by the next one. Whoever starts sweeps, so that workers that were killed
--   do not pile up even where nobody ever looks at the list.
if tonumber(ARGV[2]) == 0 then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('HDEL', KEYS[2], ARGV[1])
    return ''
end
local now = muster_time()
if tonumber(ARGV[3]) > 0 then
    muster_workers(KEYS[1], KEYS[2], now, tonumber(ARGV[3]))
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[4])
return redis.call('HGET', KEYS[2], ARGV[1]) or ''
