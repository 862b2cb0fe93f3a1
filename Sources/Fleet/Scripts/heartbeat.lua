-- An instance says that it lives and which matches it runs: registers it, and recomputes its free slots from that list
-- and from the allocations that it has not named yet. What Redis forgot comes back with the next heartbeat.
--
-- KEYS  1 instances (hash)  2 beats (zset)  3 slots (zset)  4 allocations (hash)  5 held (zset)  6 unseen (zset)
--       7 lost (hash)
-- ARGV  1 instance  2 record as JSON  3 slots  4 … the matches that run there
-- Reply {free slots, matches held}
-- Cost  O((running + held) log N); both are bounded by an instance's slots (at most 1,000)

local instance, record, slots = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('HSET', KEYS[1], instance, record)
redis.call('ZADD', KEYS[2], now, instance)

local running, busy = {}, 0
for index = 4, #ARGV do
  local match = ARGV[index]
  if not running[match] then
    running[match] = true
    busy = busy + 1
    local allocation = redis.call('HGET', KEYS[4], match)
    local owner = allocation and string.match(allocation, '^(%S+)')
    if owner ~= instance then
      -- Lost by a wipe, or taken for lost while the instance was silent: the instance that runs it is right.
      if owner then redis.call('ZREM', KEYS[5], owner .. '/' .. match) end
      redis.call('HSET', KEYS[4], match, instance .. ' ' .. now)
    end
    redis.call('ZADD', KEYS[5], 0, instance .. '/' .. match)
    redis.call('ZREM', KEYS[6], match)
    redis.call('HDEL', KEYS[7], match)
  end
end

local prefix = instance .. '/'
-- '0' is the character after '/': the range is every name with the prefix.
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. prefix, '(' .. instance .. '0')) do
  local match = string.sub(member, #prefix + 1)
  if not running[match] then
    local expiry = redis.call('ZSCORE', KEYS[6], match)
    if not expiry then
      -- Named by an earlier heartbeat and no longer: it is over.
      redis.call('ZREM', KEYS[5], member)
      redis.call('HDEL', KEYS[4], match)
    elseif tonumber(expiry) > now then
      busy = busy + 1
    end
  end
end

local free = math.max(0, slots - busy)
redis.call('ZADD', KEYS[3], free, instance)
return {free, busy}
