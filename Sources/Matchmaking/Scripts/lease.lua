-- Purpose: takes a pool that is free, or renews one that is held.
-- KEYS: 1 lease STRING: "owner fence"
-- ARGV: 1 owner · 2 ms the lease lasts · 3 '1' to take it if it is free, '0' only to renew
-- Replies: the fence, or 0 where another owns the pool (or it is free and was not to be taken)
-- Cost: O(1)
-- Why: the fence is Redis's time in µs, so it rises even when the lease's key was lost.
local current = redis.call('GET', KEYS[1])
if current then
    local owner, fence = string.match(current, '^(%S+) (%d+)$')
    if owner ~= ARGV[1] then
        return 0
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return tonumber(fence)
end
if ARGV[3] ~= '1' then
    return 0
end
local time = redis.call('TIME')
local fence = time[1] * 1000000 + time[2]
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. string.format('%.0f', fence), 'PX', ARGV[2])
return fence
