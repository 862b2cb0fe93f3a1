-- Makes an event shard's consumer group where it is missing, and names the stream's life where it has no name.
--
-- KEYS[1]  STREAM  an event shard
-- KEYS[2]  STRING  the name of the stream's life: `<name>/<entries added before it was counted>`
-- ARGV[1]  the group's name
-- ARGV[2]  a name that no other life has
-- Replies  string: the name of the stream's life
-- Cost     O(1)
-- Why      A stream that was wiped counts its entries from 0 again. Losses are told from that count, so each life of a
--          stream is counted apart; and a consumer must know the life before it reads from it. The group begins at the
--          stream's first entry, so events appended before any consumer came are read too. Entries that were added and
--          are gone before the life had a name were stored by who did not count: they are no losses.
local before = 0
local life = redis.call('GET', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 1 then
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do
        if info[i] == 'entries-added' then before = before + info[i + 1] end
        if info[i] == 'length' then before = before - info[i + 1] end
    end
else
    life = false
end
if not life then
    life = ARGV[2] .. '/' .. before
    redis.call('SET', KEYS[2], life)
end
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and string.sub(made.err, 1, 9) ~= 'BUSYGROUP' then return made end
return life
