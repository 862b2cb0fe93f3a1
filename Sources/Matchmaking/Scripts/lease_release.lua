-- Purpose: gives a pool back.
-- KEYS: 1 lease STRING: "owner fence"
-- ARGV: 1 "owner fence"
-- Replies: 1 = given back, 0 = it was not held
-- Cost: O(1)
-- Why: only who holds it may give it back.
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
