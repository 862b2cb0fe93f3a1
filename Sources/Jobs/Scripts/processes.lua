-- Purpose: lists the processes that are alive by Redis TIME.
-- KEYS: procs HASH (as heartbeat.lua)
-- ARGV: none
-- Replies: process id, ms left until it counts as silent, description, …
-- Cost: O(processes)
-- Why: judged by Redis TIME, so that the list is right on a machine whose clock is not.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
    local until_text, description = string.match(entries[i + 1], '^(%d+) (.*)$')
    if until_text and tonumber(until_text) >= now then
        alive[#alive + 1] = entries[i]
        alive[#alive + 1] = tonumber(until_text) - now
        alive[#alive + 1] = description
    end
end
return alive
