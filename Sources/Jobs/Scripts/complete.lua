-- Purpose: ends up to 500 leased jobs without extras as done; nothing of them stays.
-- KEYS: jobs HASH, attempts HASH, leased ZSET, stats HASH, wake LIST, progress HASH
-- ARGV: two per job: id · token
-- Replies: for each job in order 1 = completed, 0 = refused (leased by another, handed back or dead), 2 = no attempt of that
--   job is known (completed before, cancelled, or Redis lost it)
-- Cost: O(log n) a job; eight commands a call
-- Why: fenced by the token, so that a worker that lost its lease cannot end another's attempt. A lease that ran out but was
--   not reaped is still honoured: nobody else has run the job. 2 tells a repeated call from a lost lease.
local ids = {}
for i = 1, #ARGV, 2 do
    ids[#ids + 1] = ARGV[i]
end
local states = redis.call('HMGET', KEYS[2], unpack(ids))
local replies, done, seen, bytes = {}, {}, {}, 0
for k = 1, #ids do
    local id, state = ids[k], states[k]
    if not seen[id] and muster_holds(state, ARGV[2 * k]) and string.byte(state) == 76 then
        replies[k] = 1
        seen[id] = true
        done[#done + 1] = id
        bytes = bytes + string.sub(state, 19, 25)
    else
        replies[k] = state and 0 or 2
    end
end
if #done > 0 then
    redis.call('HDEL', KEYS[2], unpack(done))
    redis.call('HDEL', KEYS[1], unpack(done))
    redis.call('ZREM', KEYS[3], unpack(done))
    redis.call('HDEL', KEYS[6], unpack(done))
    redis.call('HINCRBY', KEYS[4], 'completed', #done)
    redis.call('HINCRBY', KEYS[4], 'bytes', -bytes)
    muster_relieve(KEYS[4], KEYS[5])
end
return replies
