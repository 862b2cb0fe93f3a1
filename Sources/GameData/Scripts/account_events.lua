-- Counts an event shard's entries, all at one moment.
--
-- KEYS[1]  STREAM  an event shard
-- KEYS[2]  STRING  the name of the stream's life
-- ARGV[1]  the group's name
-- Replies  array: the life's name or false; entries ever added in it; entries in the stream; entries that a consumer
--          has and has not settled; entries that no consumer has seen, -1 where Redis can't tell; consumers; Unix ms of
--          the oldest entry's id, 0 where there is none; Unix us of now, by which accounts have an order
-- Cost     O(1)
-- Why      Losses are the difference of these numbers and those of the file: read apart they would not agree.
local life = redis.call('GET', KEYS[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('EXISTS', KEYS[1]) == 0 then return {life, 0, 0, 0, 0, 0, 0, now} end
local function named(list)
    local fields = {}
    for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
    return fields
end
local stream = named(redis.call('XINFO', 'STREAM', KEYS[1]))
local pending, unread, consumers = 0, stream.length, 0
for _, list in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local group = named(list)
    if group.name == ARGV[1] then
        pending, consumers = group.pending, group.consumers
        -- A nil reply is `false` in a table made from it.
        unread = group.lag or -1
    end
end
local oldest = 0
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first then oldest = tonumber(string.match(first[1], '^%d+')) end
return {life, stream['entries-added'], stream.length, pending, unread, consumers, oldest, now}
