-- Drops an event shard's oldest entries where the shard takes more memory than it may.
--
-- KEYS[1]  STREAM  an event shard
-- ARGV[1]  the most bytes that it may take
-- Replies  integer: how many entries were dropped
-- Cost     O(nodes): about 1 ms for 256 MiB; above the cap up to a hundred times that, where most entries are small
-- Why      Entries hold one event or hundreds, so a number of entries bounds no memory, and the size of some nodes
--          says nothing of the others': all are counted (SAMPLES 0). Between a look (MEMORY) and the trim others may
--          append and trim, so both are one script. Some more is dropped than must be, so that who appends at the cap
--          does not trim each time, and in small steps, for the oldest entries may be larger than the mean.
local most = tonumber(ARGV[1])
local function taken() return redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 0) or 0 end
if taken() <= most then return 0 end
local dropped = 0
repeat
    local length = redis.call('XLEN', KEYS[1])
    local keep = math.min(length - 1, math.floor(length * 0.95))
    -- Whole nodes, else the rest of one would have to be gone through; unless that drops nothing.
    local count = redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', keep, 'LIMIT', 0)
    if count == 0 then count = redis.call('XTRIM', KEYS[1], 'MAXLEN', '=', keep) end
    dropped = dropped + count
until count == 0 or count == length or taken() <= most * 0.9
return dropped
