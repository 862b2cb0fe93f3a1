-- Notes the place of a match that was found by someone else than `allocate`: by a cluster that keeps its own servers.
-- A match that was bound before stays where it is, as long as its instance lives.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  1 silence that makes an instance unfit, ms  2 time to be joined, ms  3 match  4 instance  5 its record as JSON
-- Reply {1 = new or 0 = as before, instance, record, allocated at in Redis ms}
-- Cost  O(log N)

local silence, lifetime, match, instance = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now = fleet_now()

local before = redis.call('HGET', KEYS[4], match)
if before then
  local owner, at = string.match(before, '^(%S+) (%d+)$')
  if owner == instance then return {0, instance, ARGV[5], tonumber(at)} end
  local record, beat = redis.call('HGET', KEYS[1], owner), redis.call('ZSCORE', KEYS[2], owner)
  -- One that was seen running stays where it is: its instance may only be slow, and two must never play it.
  local seen = not redis.call('ZSCORE', KEYS[6], match)
  if record and (seen or beat and now - tonumber(beat) <= silence) then return {0, owner, record, tonumber(at)} end
  redis.call('ZREM', KEYS[5], owner .. '/' .. match)
  fleet_emptied(owner, now)
end

redis.call('HSET', KEYS[4], match, instance .. ' ' .. string.format('%.0f', now))
redis.call('ZADD', KEYS[5], 0, instance .. '/' .. match)
redis.call('ZADD', KEYS[6], now + lifetime, match)
redis.call('HDEL', KEYS[7], match)
-- One that has not been heard of yet has no state: its first heartbeat gives it one.
if fleet_state(instance) then fleet_move(instance, 'allocated', now) end
return {1, instance, ARGV[5], now}
