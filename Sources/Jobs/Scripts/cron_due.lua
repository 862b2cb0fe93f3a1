-- Purpose: tells which cron entries are due, by Redis TIME.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua)
-- ARGV: how many of the due ones to pass over, how many to answer at most
-- Replies: Redis time (ms), number of fields in cron, the next tick that is not due yet (ms) or '', then three per entry, the
--   longest due first: name, tick (ms), first line of the definition
-- Cost: O(log entries) and the payloads' bytes of those that are due
-- Why: what is due, and how long to wait for the next, are of one moment and of one clock, whatever the caller's says.
local now = string.format('%.0f', (muster_clock()))
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', ARGV[1], ARGV[2])
local following = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
local replies = { now, redis.call('HLEN', KEYS[1]), following or '' }
for i = 1, #due, 2 do
    replies[#replies + 1] = due[i]
    replies[#replies + 1] = due[i + 1]
    replies[#replies + 1] = string.match(redis.call('HGET', KEYS[1], 'd:' .. due[i]) or '', '^[^\n]*')
end
return replies
