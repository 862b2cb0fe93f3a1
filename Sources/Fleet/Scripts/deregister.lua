-- An instance is gone: takes it out of the fleet; the matches that it still held are lost.
--
-- KEYS  1 instances (hash)  2 beats (zset)  3 slots (zset)  4 allocations (hash)  5 held (zset)  6 unseen (zset)
--       7 lost (hash)
-- ARGV  1 instance  2 why its matches are lost
-- Reply the matches it held
-- Cost  O(held log N); bounded by an instance's slots (at most 1,000)

local instance, reason = ARGV[1], ARGV[2]
redis.call('HDEL', KEYS[1], instance)
redis.call('ZREM', KEYS[2], instance)
redis.call('ZREM', KEYS[3], instance)

local matches = {}
local prefix = instance .. '/'
-- '0' is the character after '/': the range is every name with the prefix.
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. prefix, '(' .. instance .. '0')) do
  local match = string.sub(member, #prefix + 1)
  redis.call('ZREM', KEYS[5], member)
  redis.call('HDEL', KEYS[4], match)
  redis.call('ZREM', KEYS[6], match)
  redis.call('HSET', KEYS[7], match, reason)
  matches[#matches + 1] = match
end
return matches
