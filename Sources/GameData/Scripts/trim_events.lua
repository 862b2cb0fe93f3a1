-- Drops an event shard's oldest entries where the shard takes more memory than it may.
--
-- KEYS[1]  STREAM  an event shard
-- ARGV[1]  the most bytes that it may take
-- Replies  integer: how many entries were dropped
-- Cost     O(1) below the cap, else O(entries dropped)
-- Why      Entries hold one event or hundreds, so a number of entries bounds no memory. Between a look (MEMORY) and the
--          trim others may append and trim, so both are one script. Some more is dropped than must be, so that who
--          appends at the cap does not trim each time; whole nodes are dropped, because the rest of one would have to
--          be copied. The memory is judged by the oldest nodes, which are those that go.
local bytes = redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 64)
local most = tonumber(ARGV[1])
if not bytes or bytes <= most then return 0 end
local keep = math.floor(redis.call('XLEN', KEYS[1]) * 0.9 * most / bytes)
return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', keep, 'LIMIT', 0)
