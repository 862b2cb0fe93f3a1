-- Purpose: fires ticks of a cron entry: enqueues their jobs and sets the next tick, if it is still due as the caller found it.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua), then JobKeys.forEnqueue
-- ARGV: name, tick that was found due (ms), revision of the definition, next tick (ms) or '' for none, the ticks to fire (ms)
-- Replies: 1, and for each tick what muster_enqueue says; or 0 alone, where another scheduler was first, the definition is
--   another, the entry is paused or gone, or a tick has not come yet by Redis TIME
-- Cost: that of one enqueue of so many jobs (at most 500)
-- Why: the due time is compared and set in the call that enqueues, so a tick fires once however many schedulers see it, and not
--   before Redis says so, whatever a scheduler's clock shows. The id has the tick in it: should a failover undo this call, the
--   queue still knows a job that lives.
local now = muster_clock()
local name, due, following = ARGV[1], tonumber(ARGV[2]), ARGV[4]
local revision, when, specification = cron_definition(name)
if not revision or revision ~= ARGV[3] or tonumber(redis.call('ZSCORE', KEYS[2], name) or -1) ~= due or due > now then
    return { 0 }
end
local items = {}
for i = 5, #ARGV do
    if tonumber(ARGV[i]) > now then
        return { 0 }
    end
    items[#items + 1] = 'cron.' .. name .. '.' .. ARGV[i]
    items[#items + 1] = specification
    items[#items + 1] = when
end
if following == '' then
    redis.call('ZREM', KEYS[2], name)
else
    redis.call('ZADD', KEYS[2], following, name)
end
local replies = { 1 }
if #items > 0 then
    local state = cron_state(name)
    for k, reply in ipairs(muster_enqueue(3, now, items)) do
        replies[k + 1] = reply
        if reply == 1 or reply == 0 then
            state.tick, state.at, state.fired, state.job = tonumber(ARGV[k + 4]), now, state.fired + 1, items[3 * k - 2]
        else
            state.refused = state.refused + 1
        end
    end
    cron_keep(name, state)
end
return replies
