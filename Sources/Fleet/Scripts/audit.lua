-- All that a region's fleet has on its books, at one moment, for the audit.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  none
-- Reply {{match, 'instance at-ms', …} the allocations, {'instance/match', …} held, {match, …} unseen,
--       {instance, …} registered, {instance, …} that beat, {instance, 'state since-ms', …}, {match, …} lost}
-- Cost  O(allocations + instances)

return {
  redis.call('HGETALL', KEYS[4]), redis.call('ZRANGE', KEYS[5], 0, -1), redis.call('ZRANGE', KEYS[6], 0, -1),
  redis.call('HKEYS', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1), redis.call('HGETALL', KEYS[8]),
  redis.call('HKEYS', KEYS[7])
}
