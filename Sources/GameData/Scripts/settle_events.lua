-- Says that entries are stored: takes them off the group's pending entries and out of the stream.
--
-- KEYS[1]  STREAM  an event shard
-- ARGV[1]  the group's name
-- ARGV[2…] the ids of the entries, at most 1,000
-- Replies  integer: how many were deleted
-- Cost     O(entries)
-- Why      An entry is deleted, not left to the cap: the stream is then as long as its backlog, and what was added is
--          either in it, or stored, or lost. A crash between the two commands would leave entries that are neither.
local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))
return redis.call('XDEL', KEYS[1], unpack(ids))
