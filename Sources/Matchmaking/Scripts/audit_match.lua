-- Purpose: holds one match against its tickets, at one moment.
-- KEYS: 1–7 common (see fragment.lua) · 8 match HASH · 9… tickets HASH, in the order of the roster
-- ARGV: 1 match id · 2… ticket ids in the order of the roster
-- Replies: {state of the match or '', now − its deadline in ms (0 or less: not due), in-a-live-set 0 or 1, ticket that
--   doesn't point here, …}
-- Cost: O(n) of the match's tickets
-- Why: reads of two calls could be of two moments, and would accuse a healthy pool.
local state = redis.call('HGET', KEYS[8], 'state') or ''
local due = redis.call('ZSCORE', KEYS[4], 'm:' .. ARGV[1])
local live = 0
for i = 5, 7 do
    if redis.call('ZSCORE', KEYS[i], ARGV[1]) then
        live = 1
    end
end
local reply = { state, due and mm_clock() - due or 0, live }
for i = 9, #KEYS do
    if redis.call('HGET', KEYS[i], 'match') ~= ARGV[1] or redis.call('ZSCORE', KEYS[1], ARGV[i - 7]) then
        reply[#reply + 1] = ARGV[i - 7]
    end
end
return reply
