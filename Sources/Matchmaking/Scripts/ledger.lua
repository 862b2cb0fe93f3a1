-- Purpose: the books of a pool's tickets, at one moment.
-- KEYS: 1–7 common (see fragment.lua)
-- ARGV: none
-- Replies: {created, ended, forming, waiting, entered, left, id of the last change or ''}
-- Cost: O(1)
-- Why: what is in matches is counted apart, by one call a match; that the last change is the same before and after says
--   that nothing moved in between.
local counted = redis.call('HMGET', KEYS[3], 'created', 'ended', 'forming', 'entered', 'left')
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
return {
    tonumber(counted[1] or 0), tonumber(counted[2] or 0), tonumber(counted[3] or 0), redis.call('ZCARD', KEYS[1]),
    tonumber(counted[4] or 0), tonumber(counted[5] or 0), last and last[1] or '',
}
