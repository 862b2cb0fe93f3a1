-- Purpose: divides a pool into other rating bands.
-- KEYS: 1 lease STRING of the first band · 2 bands HASH: count · borders, one less, rising, joined by ',' · generation
-- ARGV: 1 the lease's value ("owner fence") · 2 the generation so far · 3 how many bands · 4 borders joined by ','
-- Replies: the generation now, or 0 where the lease or the generation is another
-- Cost: O(1)
-- Why: all rankers of the pool read the one layout; who holds the first band alone may change it.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
if (redis.call('HGET', KEYS[2], 'generation') or '0') ~= ARGV[2] then
    return 0
end
redis.call('HSET', KEYS[2], 'count', ARGV[3], 'borders', ARGV[4])
return redis.call('HINCRBY', KEYS[2], 'generation', 1)
