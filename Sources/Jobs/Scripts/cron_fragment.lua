-- Purpose: the form of cron entries, as local functions for the head of the cron scripts.
-- KEYS: [1] cron HASH: d:<name> → definition "1 <revision, us> <when> <missed> <kind> <zone> <schedule>\n<specification>",
--   s:<name> → state "<paused 0|1> <last tick ms> <last fired ms> <fired> <refused> <last job id|->"; [2] crondue ZSET,
--   name → next tick in ms, without the paused ones
-- ARGV: none of its own
-- Replies: cron_definition: revision, when, specification, or nil; cron_state: a table; cron_keep: nothing
-- Cost: O(1), and the definition's bytes
-- Why: the definition holds what muster_enqueue takes, so that a firing sends no payload; the state is apart, so that a firing
--   writes no payload either.
local function cron_definition(name)
    local text = redis.call('HGET', KEYS[1], 'd:' .. name)
    if text then
        return string.match(text, '^1 (%d+) (%S+) [^\n]*\n(.*)$')
    end
end

local function cron_state(name)
    local text = redis.call('HGET', KEYS[1], 's:' .. name) or ''
    local paused, tick, at, fired, refused, job = string.match(text, '^(%d) (%d+) (%d+) (%d+) (%d+) (%S+)$')
    return {
        paused = paused == '1', tick = tonumber(tick or 0), at = tonumber(at or 0), fired = tonumber(fired or 0),
        refused = tonumber(refused or 0), job = job or '-',
    }
end

local function cron_text(state)
    return string.format(
        '%d %.0f %.0f %.0f %.0f %s', state.paused and 1 or 0, state.tick, state.at, state.fired, state.refused, state.job)
end

local function cron_keep(name, state)
    redis.call('HSET', KEYS[1], 's:' .. name, cron_text(state))
end
