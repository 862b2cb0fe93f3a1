-- Purpose: how full a pool is, at one moment.
-- KEYS: 1–7 common (see fragment.lua) · 8 lease STRING
-- ARGV: none
-- Replies: {now in Unix ms, waiting, oldest waiting's time or 0, proposed, oldest's time or 0, placing, …, ready, …,
--   the lease's value or '', how many tickets ever entered the queue, how many left it}
-- Cost: O(log n)
-- Why: one call, so that the numbers belong together.
local reply = { mm_clock() }
for _, key in ipairs({ KEYS[1], KEYS[5], KEYS[6], KEYS[7] }) do
    reply[#reply + 1] = redis.call('ZCARD', key)
    reply[#reply + 1] = tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 0)
end
reply[#reply + 1] = redis.call('GET', KEYS[8]) or ''
local counted = redis.call('HMGET', KEYS[3], 'entered', 'left')
reply[#reply + 1] = tonumber(counted[1] or 0)
reply[#reply + 1] = tonumber(counted[2] or 0)
return reply
