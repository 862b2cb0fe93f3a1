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
local replies, done, bytes = {}, {}, 0
for k = 1, #ids do
    local state = states[k]
    if muster_holds(state, ARGV[2 * k]) and string.byte(state) == 76 then
        replies[k] = 1
        done[#done + 1] = ids[k]
        bytes = bytes + string.sub(state, 19, 25)
    else
        replies[k] = state and 0 or 2
    end
end
if #done > 0 then
    local count = redis.call('HDEL', KEYS[2], unpack(done))
    if count < #done then
        -- A job was named twice, which no worker does: its bytes count once.
        local seen = {}
        for k = 1, #ids do
            if replies[k] == 1 then
                bytes = seen[ids[k]] and bytes - string.sub(states[k], 19, 25) or bytes
                seen[ids[k]] = true
            end
        end
    end
    redis.call('HDEL', KEYS[1], unpack(done))
    redis.call('ZREM', KEYS[3], unpack(done))
    if redis.call('EXISTS', KEYS[6]) == 1 then
        redis.call('HDEL', KEYS[6], unpack(done))
    end
    redis.call('HINCRBY', KEYS[4], 'completed', count)
    redis.call('HINCRBY', KEYS[4], 'bytes', -bytes)
    muster_relieve(KEYS[4], KEYS[5])
end
return replies
