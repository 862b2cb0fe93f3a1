-- Removes consumers of a stream's group that have been silent for long and have nothing pending.
--
-- KEYS[1]  STREAM  an event shard
-- ARGV[1]  the group's name
-- ARGV[2]  how long a consumer must have been silent, ms
-- Replies  integer: how many were removed; 0 where the stream or group is missing
-- Cost     O(consumers)
-- Why      XGROUP DELCONSUMER drops the consumer's pending entries unread. Between a look (XINFO) and the removal the
--          consumer could wake up and take entries, so both are one script.
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then return 0 end
local removed = 0
for _, fields in ipairs(consumers) do
    local consumer = {}
    for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
    if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
        removed = removed + 1
    end
end
return removed
