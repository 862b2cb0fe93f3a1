-- Looks for instances that fell silent and for matches that no one joined. Silent ones get no more matches; those
-- silent for long are dead, and what they held is lost. Lost matches are named again until they are settled.
--
-- KEYS  1 instances (hash)  2 beats (zset)  3 slots (zset)  4 allocations (hash)  5 held (zset)  6 unseen (zset)
--       7 lost (hash)  8 watch (hash)  9 vouched (zset)
-- ARGV  1 silence that makes an instance unfit, ms  2 silence that makes it dead, ms  3 gap that restarts the watch, ms
--       4 most instances and matches handled in one call  5 … instances that the caller sees running
-- Reply {{dead instance, …}, {lost match, why, …}}
-- Cost  O(limit × (log N + held)); the caller comes back each second
-- Why   When Redis or every reaper was away, all instances look silent though they are well. So silence counts only
--       from when the watch began without a gap. An API that is away silences all of them too: so whom one reaper sees
--       running is dead to none of them.

local silence, death, gap, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local last = tonumber(redis.call('HGET', KEYS[8], 'last') or 0)
local since = tonumber(redis.call('HGET', KEYS[8], 'since') or now)
-- A clock that jumped back restarts the watch too.
if now - last > gap or now < last then since = now end
redis.call('HSET', KEYS[8], 'last', now, 'since', since)

for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. (now - silence), 'LIMIT', 0, limit)) do
  redis.call('ZREM', KEYS[3], instance)
end

for index = 5, #ARGV do redis.call('ZADD', KEYS[9], now, ARGV[index]) end
redis.call('ZREMRANGEBYSCORE', KEYS[9], '-inf', '(' .. (now - gap))

local dead = {}
if now - since > death then
  local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. (now - death), 'LIMIT', 0, limit)
  for _, instance in ipairs(silent) do
    if not redis.call('ZSCORE', KEYS[9], instance) then dead[#dead + 1] = instance end
  end
  for _, instance in ipairs(dead) do
    redis.call('HDEL', KEYS[1], instance)
    redis.call('ZREM', KEYS[2], instance)
    local prefix = instance .. '/'
    for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. prefix, '(' .. instance .. '0')) do
      local match = string.sub(member, #prefix + 1)
      redis.call('ZREM', KEYS[5], member)
      redis.call('HDEL', KEYS[4], match)
      redis.call('ZREM', KEYS[6], match)
      redis.call('HSET', KEYS[7], match, 'instance-died')
    end
  end
end

for _, match in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', now, 'LIMIT', 0, limit)) do
  redis.call('ZREM', KEYS[6], match)
  local allocation = redis.call('HGET', KEYS[4], match)
  if allocation then
    redis.call('ZREM', KEYS[5], string.match(allocation, '^(%S+)') .. '/' .. match)
    redis.call('HDEL', KEYS[4], match)
  end
  redis.call('HSET', KEYS[7], match, 'not-joined')
end

local lost, cursor, rounds = {}, '0', 0
repeat
  local found = redis.call('HSCAN', KEYS[7], cursor, 'COUNT', limit)
  cursor, rounds = found[1], rounds + 1
  for _, text in ipairs(found[2]) do
    if #lost < 2 * limit then lost[#lost + 1] = text end
  end
until cursor == '0' or #lost >= 2 * limit or rounds >= 16
return {dead, lost}
