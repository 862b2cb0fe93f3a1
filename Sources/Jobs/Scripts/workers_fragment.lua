-- Purpose: reads the list of workers, and forgets those that have been silent for long.
-- KEYS: none of its own; the caller passes workers HASH and orders HASH
-- ARGV: none of its own; the caller passes `keep`, for how long (ms) a silent worker is remembered
-- Replies: muster_time returns Redis ms; muster_workers returns { id, ms until it counts as silent (below 0: for so long
--   it has been), description, … } in no order
-- Cost: O(workers of the queue)
-- Why: judged by Redis TIME, so that the list is right whatever the clocks of workers and readers say.

local function muster_time()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function muster_workers(workers, orders, now, keep)
    local entries = redis.call('HGETALL', workers)
    local listed = {}
    for i = 1, #entries, 2 do
        local silent_at, description = string.match(entries[i + 1], '^(%d+) (.*)$')
        if silent_at and tonumber(silent_at) + keep >= now then
            listed[#listed + 1] = entries[i]
            listed[#listed + 1] = tonumber(silent_at) - now
            listed[#listed + 1] = description
        else
            redis.call('HDEL', workers, entries[i])
            redis.call('HDEL', orders, entries[i])
        end
    end
    return listed
end
