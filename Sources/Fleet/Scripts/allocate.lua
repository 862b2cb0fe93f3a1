-- Gives a match a slot of a living instance, the fullest one first (packing keeps whole instances free to stop).
-- The same match asked again gets the same answer, as long as its instance lives.
--
-- KEYS  1 instances (hash)  2 beats (zset)  3 slots (zset)  4 allocations (hash)  5 held (zset)  6 unseen (zset)
--       7 lost (hash)
-- ARGV  1 match  2 silence that makes an instance unfit, ms  3 time to be joined, ms
-- Reply {1 = new or 0 = as before, instance, record, allocated at in Redis ms}, or {} when no slot is free
-- Cost  O(log N) and one step for each silent instance passed over (at most 64)

local match, silence, lifetime = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function lives(instance)
  local beat = redis.call('ZSCORE', KEYS[2], instance)
  return beat and now - tonumber(beat) <= silence
end

local before = redis.call('HGET', KEYS[4], match)
if before then
  local instance, at = string.match(before, '^(%S+) (%d+)$')
  local record = redis.call('HGET', KEYS[1], instance)
  -- A match that was seen running stays where it is: its instance may only be slow, and two must never play it.
  local seen = not redis.call('ZSCORE', KEYS[6], match)
  if record and (seen or lives(instance)) then return {0, instance, record, tonumber(at)} end
  redis.call('HDEL', KEYS[4], match)
  redis.call('ZREM', KEYS[5], instance .. '/' .. match)
  redis.call('ZREM', KEYS[6], match)
end

for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], 1, '+inf', 'LIMIT', 0, 64)) do
  local record = redis.call('HGET', KEYS[1], instance)
  if record and lives(instance) then
    redis.call('ZINCRBY', KEYS[3], -1, instance)
    redis.call('HSET', KEYS[4], match, instance .. ' ' .. now)
    redis.call('ZADD', KEYS[5], 0, instance .. '/' .. match)
    redis.call('ZADD', KEYS[6], now + lifetime, match)
    redis.call('HDEL', KEYS[7], match)
    return {1, instance, record, now}
  end
  redis.call('ZREM', KEYS[3], instance)
end
return {}
