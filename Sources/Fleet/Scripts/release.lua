-- Gives a match's slot back. A match that holds none changes nothing.
--
-- KEYS  1 slots (zset)  2 allocations (hash)  3 held (zset)  4 unseen (zset)  5 lost (hash)
-- ARGV  1 match
-- Reply 1 = released, 0 = held no slot
-- Cost  O(log N)

local match = ARGV[1]
redis.call('HDEL', KEYS[5], match)
local allocation = redis.call('HGET', KEYS[2], match)
if not allocation then return 0 end
local instance = string.match(allocation, '^(%S+)')
redis.call('HDEL', KEYS[2], match)
redis.call('ZREM', KEYS[3], instance .. '/' .. match)
local expiry = redis.call('ZSCORE', KEYS[4], match)
redis.call('ZREM', KEYS[4], match)
-- The slot of an expired, unjoined match may already be counted as free: the next heartbeat settles that one.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZSCORE', KEYS[1], instance) and (not expiry or tonumber(expiry) > now) then
  redis.call('ZINCRBY', KEYS[1], 1, instance)
end
return 1
