-- Purpose: takes in what is new about a player's latencies to regions, smoothed, and tells what is known of all.
-- KEYS: 1 latencies HASH: `v:<region>` smoothed ms · `f:<region>` the floor by what instances measured ·
--   `fell` when a value last fell, in Redis ms
-- ARGV: 1 ms the hash lasts · 2 weight of what is new, 0 to 1 · 3 ms between two falls at least · 4 the most regions ·
--   then for each: 'reported' or 'measured', region, ms
-- Replies: region, ms, region, ms, … of all values that are known, ms as text
-- Cost: O(regions), 20 at most
-- Why: two devices of one player may report at once, and each must be smoothed into what the other left. A report may
--   lower a value by half at most and not again at once, nor under the floor: who claims to be near gains little.
local function text(ms) return string.format('%.2f', ms) end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local weight = tonumber(ARGV[2])
local mayFall = now - tonumber(redis.call('HGET', KEYS[1], 'fell') or 0) >= tonumber(ARGV[3])
local regions = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 2) == 'v:' then regions = regions + 1 end
end
local fell = false
for index = 5, #ARGV, 3 do
    local kind, region, ms = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2])
    local known = tonumber(redis.call('HGET', KEYS[1], 'v:' .. region))
    local floor = tonumber(redis.call('HGET', KEYS[1], 'f:' .. region))
    if known or regions < tonumber(ARGV[4]) then
        if not known then regions = regions + 1 end
        if kind == 'measured' then
            -- The least that was ever measured bounds the way; a jam of a moment raises it by half of the difference.
            floor = floor and math.min(ms, floor + (ms - floor) / 2) or ms
            redis.call('HSET', KEYS[1], 'f:' .. region, text(floor))
        elseif not known then
            known = ms
        else
            local smoothed = known + weight * (ms - known)
            if smoothed >= known then
                known = smoothed
            elseif mayFall then
                known = math.max(smoothed, known / 2)
                fell = true
            end
        end
        redis.call('HSET', KEYS[1], 'v:' .. region, text(math.max(known or floor, floor or 0)))
    end
end
if fell then redis.call('HSET', KEYS[1], 'fell', now) end
if #ARGV > 4 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end

local reply = {}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
    if string.sub(all[index], 1, 2) == 'v:' then
        reply[#reply + 1] = string.sub(all[index], 3)
        reply[#reply + 1] = all[index + 1]
    end
end
return reply
