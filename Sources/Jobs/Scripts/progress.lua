-- Purpose: notes how far a running job is.
-- KEYS: attempts HASH, progress HASH
-- ARGV: id · token · fraction · text
-- Replies: 1 = noted, 0 = the lease is not this attempt's any more
-- Cost: O(1)
-- Why: fenced, so that a worker that lost its lease does not overwrite what the next one says.
if not muster_holds(redis.call('HGET', KEYS[1], ARGV[1]), ARGV[2]) then
    return 0
end
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', (muster_clock())) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
return 1
