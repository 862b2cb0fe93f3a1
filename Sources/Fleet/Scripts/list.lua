-- The fleet of a region at one moment, for operators and for the allocator's buffer.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  none
-- Reply {now in Redis ms, allocations, unseen, lost, target or '', {build, …} newest first,
--       {instance, record, beat ms, free slots or -1 when it takes none, 'state since-ms', order or '', held, …}}
-- Cost  O(instances × log N)

local rows = {}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local instance = all[index]
  local score = redis.call('ZSCORE', KEYS[3], instance)
  rows[#rows + 1] = instance
  rows[#rows + 1] = all[index + 1]
  rows[#rows + 1] = tonumber(redis.call('ZSCORE', KEYS[2], instance) or 0)
  rows[#rows + 1] = score and tonumber(score) % BUILD_STEP or -1
  rows[#rows + 1] = redis.call('HGET', KEYS[8], instance) or ''
  rows[#rows + 1] = redis.call('HGET', KEYS[9], instance) or ''
  rows[#rows + 1] = fleet_held(instance)
end
return {
  fleet_now(), redis.call('HLEN', KEYS[4]), redis.call('ZCARD', KEYS[6]), redis.call('HLEN', KEYS[7]),
  redis.call('GET', KEYS[11]) or '', redis.call('ZREVRANGE', KEYS[10], 0, -1), rows
}
