-- Purpose: pauses a cron entry.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua)
-- ARGV: name
-- Replies: 1 = it is paused, 0 = there is none
-- Cost: O(log entries)
-- Why: a paused entry has no due time, so schedulers never look at it.
local name = ARGV[1]
if redis.call('HEXISTS', KEYS[1], 'd:' .. name) == 0 then
    return 0
end
local state = cron_state(name)
state.paused = true
cron_keep(name, state)
redis.call('ZREM', KEYS[2], name)
return 1
