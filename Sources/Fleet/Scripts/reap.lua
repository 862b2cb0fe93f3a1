-- Looks for instances that fell silent and for matches that no one joined. Silent ones get no more matches; those
-- silent for long are dead, and what they held is lost. Lost matches are named again until they are settled.
--
-- KEYS  1–11 as in fragment.lua  12 watch (hash)  13 vouched (zset)
-- ARGV  1 silence that makes an instance unfit, ms  2 silence that makes it dead, ms  3 gap that restarts the watch, ms
--       4 most instances and matches handled in one call  5 '1' when the caller knows that no heartbeat can be heard
--       6 … instances that the caller sees running
-- Reply {{dead instance, …}, {lost match, 'why instance', …}}
-- Cost  O(limit × (log N + held)); the caller comes back each second
-- Why   When Redis or every reaper was away, all instances look silent though they are well. So silence counts only
--       from when the watch began without a gap. An API that is away silences all of them too: so whom one reaper sees
--       running is dead to none of them, and a reaper that finds the API away restarts the watch.

local silence, death, gap, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = fleet_now()

local last = tonumber(redis.call('HGET', KEYS[12], 'last') or 0)
local since = tonumber(redis.call('HGET', KEYS[12], 'since') or now)
-- A clock that jumped back restarts the watch too.
if now - last > gap or now < last or ARGV[5] == '1' then since = now end
redis.call('HSET', KEYS[12], 'last', now, 'since', since)

for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. (now - silence), 'LIMIT', 0, limit)) do
  redis.call('ZREM', KEYS[3], instance)
  fleet_move(instance, 'unhealthy', now)
end

for index = 6, #ARGV do redis.call('ZADD', KEYS[13], now, ARGV[index]) end
redis.call('ZREMRANGEBYSCORE', KEYS[13], '-inf', '(' .. (now - gap))

local dead = {}
if now - since > death then
  local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. (now - death), 'LIMIT', 0, limit)
  for _, instance in ipairs(silent) do
    if not redis.call('ZSCORE', KEYS[13], instance) then dead[#dead + 1] = instance end
  end
  for _, instance in ipairs(dead) do fleet_lose(instance, 'instance-died') end
end

local unjoined = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', now, 'LIMIT', 0, limit)
if ARGV[5] == '1' then
  -- No heartbeat can say that they were joined: they get the time for one more.
  for _, match in ipairs(unjoined) do redis.call('ZADD', KEYS[6], now + gap, match) end
  unjoined = {}
end
for _, match in ipairs(unjoined) do
  redis.call('ZREM', KEYS[6], match)
  local allocation = redis.call('HGET', KEYS[4], match)
  local why = 'not-joined'
  if allocation then
    local instance = string.match(allocation, '^(%S+)')
    why = why .. ' ' .. instance
    redis.call('ZREM', KEYS[5], instance .. '/' .. match)
    redis.call('HDEL', KEYS[4], match)
    fleet_emptied(instance, now)
  end
  redis.call('HSET', KEYS[7], match, why)
end

-- Builds of which no instance is left are forgotten when there are many.
if redis.call('ZCARD', KEYS[10]) > 64 then
  local oldest = redis.call('ZRANGE', KEYS[10], 0, 15, 'WITHSCORES')
  for index = 1, #oldest, 2 do
    local base = tonumber(oldest[index + 1]) * BUILD_STEP
    if redis.call('ZCOUNT', KEYS[3], base, base + BUILD_STEP - 1) == 0 then
      redis.call('ZREM', KEYS[10], oldest[index])
    end
  end
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
