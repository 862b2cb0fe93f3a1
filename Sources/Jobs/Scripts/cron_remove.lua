-- Purpose: removes a cron entry.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua)
-- ARGV: name
-- Replies: 1 = removed, 0 = there was none
-- Cost: O(log entries)
-- Why: definition, state and due time go in one step, so that no scheduler finds half of them.
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], 's:' .. ARGV[1])
return redis.call('HDEL', KEYS[1], 'd:' .. ARGV[1])
