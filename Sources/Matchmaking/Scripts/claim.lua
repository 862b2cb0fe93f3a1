-- Purpose: claims a player for a ticket, if no claim is there or the one that is there is the expected one.
-- KEYS: 1 claim STRING
-- ARGV: 1 ticket id · 2 ms the claim lasts · 3 the claim that may be replaced, or ''
-- Replies: {1} · {0, the ticket that claims the player}
-- Cost: O(1)
-- Why: the claim is in another slot than the ticket, so it can't be part of the ticket's script.
local current = redis.call('GET', KEYS[1])
if current and current ~= ARGV[3] and current ~= ARGV[1] then
    return { 0, current }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 1 }
