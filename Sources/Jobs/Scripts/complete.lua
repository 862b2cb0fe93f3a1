-- Purpose: ends up to 500 leased jobs as done; nothing of them stays.
-- KEYS: jobs HASH, attempts HASH, leased ZSET, stats HASH
-- ARGV: two per job: id · token
-- Replies: for each job in order 1 = completed, 0 = refused (leased by another, handed back or dead), 2 = no attempt of that
--   job is known (completed before, cancelled, or Redis lost it)
-- Cost: O(log n) a job; five commands a call
-- Why: fenced by the token, so that a worker that lost its lease cannot end another's attempt. A lease that ran out but was
--   not reaped is still honoured: nobody else has run the job. 2 tells a repeated call from a lost lease.
local ids = {}
for i = 1, #ARGV, 2 do
    ids[#ids + 1] = ARGV[i]
end
local states = redis.call('HMGET', KEYS[2], unpack(ids))
local replies, done = {}, {}
for k = 1, #ids do
    if muster_holds(states[k], ARGV[2 * k]) then
        replies[k] = 1
        done[#done + 1] = ids[k]
    else
        replies[k] = states[k] and 0 or 2
    end
end
if #done > 0 then
    local count = redis.call('HDEL', KEYS[2], unpack(done))
    redis.call('HDEL', KEYS[1], unpack(done))
    redis.call('ZREM', KEYS[3], unpack(done))
    redis.call('HINCRBY', KEYS[4], 'completed', count)
end
return replies
