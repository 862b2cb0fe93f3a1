-- Purpose: says that a process is alive, or (with ttl 0) that it has gone; forgets those long silent.
-- KEYS: procs HASH (process id → "<ms until which it counts as alive> <description>")
-- ARGV: process id, ttl (ms), description
-- Replies: 1
-- Cost: O(processes), of which there are some hundreds
-- Why: one HASH instead of a key with expiry per process, so that the list needs no SCAN and works on Redis Cluster.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(ARGV[2]) == 0 then
    redis.call('HDEL', KEYS[1], ARGV[1])
    return 1
end
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
    if (tonumber(string.match(entries[i + 1], '^%d+')) or 0) < now then
        redis.call('HDEL', KEYS[1], entries[i])
    end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
return 1
