-- Gives a match's slot back. A match that holds none changes nothing.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  1 match
-- Reply 1 = released, 0 = held no slot
-- Cost  O(log N)

local match = ARGV[1]
redis.call('HDEL', KEYS[7], match)
local allocation = redis.call('HGET', KEYS[4], match)
if not allocation then return 0 end
local now = fleet_now()
local instance = string.match(allocation, '^(%S+)')
redis.call('HDEL', KEYS[4], match)
redis.call('ZREM', KEYS[5], instance .. '/' .. match)
local expiry = redis.call('ZSCORE', KEYS[6], match)
redis.call('ZREM', KEYS[6], match)
-- The slot of an expired, unjoined match may already be counted as free: the next heartbeat settles that one.
if redis.call('ZSCORE', KEYS[3], instance) and (not expiry or tonumber(expiry) > now) then
  redis.call('ZINCRBY', KEYS[3], 1, instance)
end
fleet_emptied(instance, now)
return 1
