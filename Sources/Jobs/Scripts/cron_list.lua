-- Purpose: lists the cron entries, without their payloads.
-- KEYS: cron HASH, crondue ZSET (see cron_fragment.lua)
-- ARGV: none, or the name of the one that is wanted
-- Replies: Redis time (ms), then four per entry: name, first line of the definition, state, next tick (ms) or ''
-- Cost: O(entries), and their payloads' bytes; there are some hundreds of them
-- Why: the time comes along, as the next tick is computed by the caller and may be judged by no other clock.
local names = { ARGV[1] }
if not ARGV[1] then
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
        if string.sub(field, 1, 2) == 'd:' then
            names[#names + 1] = string.sub(field, 3)
        end
    end
end
local replies = { (muster_clock()) }
for _, name in ipairs(names) do
    local definition = redis.call('HGET', KEYS[1], 'd:' .. name)
    if definition then
        replies[#replies + 1] = name
        replies[#replies + 1] = string.match(definition, '^[^\n]*')
        replies[#replies + 1] = cron_text(cron_state(name))
        replies[#replies + 1] = redis.call('ZSCORE', KEYS[2], name) or ''
    end
end
return replies
