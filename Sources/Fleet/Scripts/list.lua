-- The fleet of a region at one moment, for operators and for the allocator's buffer.
--
-- KEYS  1 instances (hash)  2 beats (zset)  3 slots (zset)  4 allocations (hash)  5 unseen (zset)  6 lost (hash)
-- ARGV  none
-- Reply {now in Redis ms, allocations, unseen, lost, {instance, record, beat ms, free slots or -1 when unfit, …}}
-- Cost  O(instances)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rows = {}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local instance = all[index]
  rows[#rows + 1] = instance
  rows[#rows + 1] = all[index + 1]
  rows[#rows + 1] = tonumber(redis.call('ZSCORE', KEYS[2], instance) or 0)
  rows[#rows + 1] = tonumber(redis.call('ZSCORE', KEYS[3], instance) or -1)
end
return {now, redis.call('HLEN', KEYS[4]), redis.call('ZCARD', KEYS[5]), redis.call('HLEN', KEYS[6]), rows}
