-- Purpose: enqueues the job of a cron entry now, apart from its schedule.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua), then JobKeys.forEnqueue
-- ARGV: name
-- Replies: job id, what muster_enqueue says of it; nothing where there is no such entry
-- Cost: that of one enqueue
-- Why: the id has its time in us, so that each run by hand is a job of its own.
local name = ARGV[1]
local _, when, specification = cron_definition(name)
if not when then
    return {}
end
local now, micros = muster_clock()
local id = 'cron-run.' .. name .. '.' .. string.format('%.0f', micros)
local reply = muster_enqueue(3, now, { id, specification, when })[1]
if reply == 1 then
    local state = cron_state(name)
    state.at, state.fired, state.job = now, state.fired + 1, id
    cron_keep(name, state)
end
return { id, reply }
