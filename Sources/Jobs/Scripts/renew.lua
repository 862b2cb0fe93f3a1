-- Purpose: extends up to 500 leases of one worker.
-- KEYS: attempts HASH, leased ZSET
-- ARGV: lease (ms), then two per job: id · token
-- Replies: the ids that are lost: reaped, taken by another, cancelled, or forgotten by Redis
-- Cost: O(log n) a job; three commands a call
-- Why: one call for all of a process's leases; a lease that ran out but was not reaped is given on.
local now = muster_clock()
local ids = {}
for i = 2, #ARGV, 2 do
    ids[#ids + 1] = ARGV[i]
end
local states = redis.call('HMGET', KEYS[1], unpack(ids))
local lost, leases, expiry = {}, {}, now + tonumber(ARGV[1])
for k = 1, #ids do
    if muster_holds(states[k], ARGV[2 * k + 1]) then
        leases[#leases + 1] = expiry
        leases[#leases + 1] = ids[k]
    else
        lost[#lost + 1] = ids[k]
    end
end
if #leases > 0 then
    redis.call('ZADD', KEYS[2], unpack(leases))
end
return lost
