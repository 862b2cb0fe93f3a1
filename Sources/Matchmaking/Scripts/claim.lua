-- Purpose: claims a player for a ticket, if no claim is there or the one that is there is the expected one, and no
--   cooldown runs.
-- KEYS: 1 claim STRING · 2 cooldown HASH (see claim_release.lua)
-- ARGV: 1 ticket id · 2 ms the claim lasts · 3 the claim that may be replaced, or ''
-- Replies: {1} · {0, the ticket that claims the player} · {-1, until when the player may not queue, in Unix ms}
-- Cost: O(1)
-- Why: the claim is in another slot than the ticket, so it can't be part of the ticket's script.
local current = redis.call('GET', KEYS[1])
if current and current ~= ARGV[3] and current ~= ARGV[1] then
    return { 0, current }
end
if current ~= ARGV[1] then
    local till = tonumber(redis.call('HGET', KEYS[2], 'until') or 0)
    local time = redis.call('TIME')
    if time[1] * 1000 + math.floor(time[2] / 1000) < till then
        return { -1, till }
    end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 1 }
