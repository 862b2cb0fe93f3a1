-- Purpose: ends up to 500 attempts that failed: the job comes back later, or is buried with a reason code.
-- KEYS: later ZSET, wake LIST, stats HASH, attempts HASH, leased ZSET, dead ZSET
-- ARGV: five per job: id · token · "retry" or "bury" · delay (ms) or reason code · error text
-- Replies: for each job in order 1 = done, 0 = refused, 2 = unknown (as complete.lua)
-- Cost: O(log n) a job; nine commands a call
-- Why: the worker judges (it knows the error and the backoff), the script only moves; fenced as complete.lua is.
local now = muster_clock()
local ids = {}
for i = 1, #ARGV, 5 do
    ids[#ids + 1] = ARGV[i]
end
local states = redis.call('HMGET', KEYS[4], unpack(ids))
local replies, seen, moved, updates, dues, ends = {}, {}, {}, {}, {}, {}
for k = 1, #ids do
    local at, id = 5 * k - 4, ids[k]
    if not seen[id] and muster_holds(states[k], ARGV[at + 1]) then
        replies[k] = 1
        seen[id] = true
        local state = muster_parse(states[k])
        state.error = ARGV[at + 4]
        if ARGV[at + 2] == 'bury' then
            state.flag, state.reason = 'D', ARGV[at + 3]
            ends[#ends + 1] = now
            ends[#ends + 1] = id
        else
            state.flag = '-'
            dues[#dues + 1] = now + tonumber(ARGV[at + 3])
            dues[#dues + 1] = id
        end
        moved[#moved + 1] = id
        updates[#updates + 1] = id
        updates[#updates + 1] = muster_state(state)
    else
        replies[k] = states[k] and 0 or 2
    end
end
if #moved == 0 then
    return replies
end
redis.call('ZREM', KEYS[5], unpack(moved))
redis.call('HSET', KEYS[4], unpack(updates))
if #dues > 0 then
    muster_schedule(KEYS[1], KEYS[2], dues)
    redis.call('HINCRBY', KEYS[3], 'retried', #dues / 2)
end
if #ends > 0 then
    redis.call('ZADD', KEYS[6], unpack(ends))
    redis.call('HINCRBY', KEYS[3], 'buried', #ends / 2)
end
return replies
