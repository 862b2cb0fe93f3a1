-- Purpose: adds a cron entry, or changes it to what is given.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua)
-- ARGV: name, definition without version and revision, first tick (ms)
-- Replies: 1 = added, 2 = changed, 0 = was the same already
-- Cost: O(log entries)
-- Why: every process puts its entries when it starts, so a put must neither lift a pause nor move a tick that is due; only
--   another schedule or time zone starts anew.
local name, body = ARGV[1], ARGV[2]
local stored = redis.call('HGET', KEYS[1], 'd:' .. name)
local former = stored and string.match(stored, '^1 %d+ (.*)$')
local function timing(text)
    return string.match(text, '^%S+ %S+ %S+ ([^\n]*)\n')
end
local change = 0
if former ~= body then
    change = stored and 2 or 1
    local _, micros = muster_clock()
    redis.call('HSET', KEYS[1], 'd:' .. name, '1 ' .. string.format('%.0f', micros) .. ' ' .. body)
end
local anew = not former or timing(former) ~= timing(body)
if not cron_state(name).paused and (anew or not redis.call('ZSCORE', KEYS[2], name)) then
    redis.call('ZADD', KEYS[2], ARGV[3], name)
end
return change
