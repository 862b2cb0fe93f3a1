-- Orders something of an instance: to drain, to be cordoned or uncordoned. A draining one gets no more matches and ends
-- with its last one; a cordoned one gets no more until it is uncordoned. Its running matches are touched by neither.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  1 instance  2 'drain', 'cordon' or 'uncordon'  3 why
-- Reply {1, state} when the order stands, also from before; {0, 'unknown' or 'draining'}
-- Cost  O(log N)
-- Why   An uncordoned instance is offered again by its next heartbeat, which knows its free slots.

local instance, wanted, reason = ARGV[1], ARGV[2], ARGV[3]
if redis.call('HEXISTS', KEYS[1], instance) == 0 then return {0, 'unknown'} end
local now = fleet_now()
local standing = fleet_order(instance)
local text = string.format('%.0f', now) .. ' ' .. reason

if wanted == 'drain' then
  if standing ~= 'drain' then
    redis.call('HSET', KEYS[9], instance, 'drain ' .. text)
    redis.call('ZREM', KEYS[3], instance)
  end
  if fleet_state(instance) ~= 'unhealthy' then fleet_move(instance, 'draining', now) end
elseif standing == 'drain' then
  return {0, 'draining'}
elseif wanted == 'cordon' then
  if not standing then redis.call('HSET', KEYS[9], instance, 'cordon ' .. text) end
  redis.call('ZREM', KEYS[3], instance)
else
  redis.call('HDEL', KEYS[9], instance)
end
return {1, fleet_state(instance) or ''}
