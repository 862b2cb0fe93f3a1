-- Purpose: frees a player that a ticket claims.
-- KEYS: 1 claim STRING
-- ARGV: 1 ticket id
-- Replies: 1 = freed, 0 = another ticket claims the player, or none
-- Cost: O(1)
-- Why: a late release must not free the player from a newer ticket.
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
