-- Purpose: lets a paused cron entry fire again.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua)
-- ARGV: name, revision of the definition by which the next tick was computed, next tick (ms)
-- Replies: 1 = it runs (an entry that was not paused keeps its tick), 0 = it is of another revision, or gone
-- Cost: O(log entries)
-- Why: schedules are computed by the caller, so the revision says whether it knew the right one.
local name = ARGV[1]
if cron_definition(name) ~= ARGV[2] then
    return 0
end
local state = cron_state(name)
if state.paused then
    state.paused = false
    cron_keep(name, state)
    redis.call('ZADD', KEYS[2], ARGV[3], name)
end
return 1
