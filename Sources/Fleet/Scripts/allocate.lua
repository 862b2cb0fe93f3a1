-- Gives matches slots of living instances: of the build that is asked for, else of the target build, else of the newest
-- that has room; by packing (the fullest first, which keeps whole instances free to stop) or by spreading.
-- A match asked again gets the same answer, as long as its instance lives.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  1 silence that makes an instance unfit, ms  2 time to be joined, ms  3 'pack' or 'spread'
--       4 build, '' = any  5 … the matches
-- Reply for each match {1 = new or 0 = as before, instance, record, allocated at in Redis ms}, or {} when no slot is free
-- Cost  O(log N) a match, and one step for each silent instance passed over (at most 64 a build)

local silence, lifetime, strategy, wish = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now = fleet_now()

local function lives(instance)
  local beat = redis.call('ZSCORE', KEYS[2], instance)
  return beat and now - tonumber(beat) <= silence
end

local function given(match)
  local before = redis.call('HGET', KEYS[4], match)
  if not before then return nil end
  local instance, at = string.match(before, '^(%S+) (%d+)$')
  local record = redis.call('HGET', KEYS[1], instance)
  -- A match that was seen running stays where it is: its instance may only be slow, and two must never play it.
  local seen = not redis.call('ZSCORE', KEYS[6], match)
  if record and (seen or lives(instance)) then return {0, instance, record, tonumber(at)} end
  redis.call('HDEL', KEYS[4], match)
  redis.call('ZREM', KEYS[5], instance .. '/' .. match)
  redis.call('ZREM', KEYS[6], match)
  fleet_emptied(instance, now)
  return nil
end

-- The numbers of the builds to look at, the best first.
local order = {}
if wish ~= '' then
  local number = redis.call('ZSCORE', KEYS[10], wish)
  if number then order[1] = number end
else
  local target = redis.call('GET', KEYS[11])
  local first = target and redis.call('ZSCORE', KEYS[10], target)
  if first then order[1] = first end
  local all = redis.call('ZREVRANGE', KEYS[10], 0, 63, 'WITHSCORES')
  for index = 2, #all, 2 do
    if all[index] ~= first then order[#order + 1] = all[index] end
  end
end

local function room(number)
  local base = tonumber(number) * BUILD_STEP
  if strategy == 'spread' then
    return redis.call('ZREVRANGEBYSCORE', KEYS[3], base + BUILD_STEP - 1, base + 1, 'LIMIT', 0, 64)
  end
  return redis.call('ZRANGEBYSCORE', KEYS[3], base + 1, base + BUILD_STEP - 1, 'LIMIT', 0, 64)
end

local function place(match)
  for _, number in ipairs(order) do
    for _, instance in ipairs(room(number)) do
      local record = redis.call('HGET', KEYS[1], instance)
      if record and lives(instance) then
        redis.call('ZINCRBY', KEYS[3], -1, instance)
        redis.call('HSET', KEYS[4], match, instance .. ' ' .. string.format('%.0f', now))
        redis.call('ZADD', KEYS[5], 0, instance .. '/' .. match)
        redis.call('ZADD', KEYS[6], now + lifetime, match)
        redis.call('HDEL', KEYS[7], match)
        fleet_move(instance, 'allocated', now)
        return {1, instance, record, now}
      end
      redis.call('ZREM', KEYS[3], instance)
    end
  end
  return {}
end

local replies = {}
for index = 5, #ARGV do
  replies[#replies + 1] = given(ARGV[index]) or place(ARGV[index])
end
return replies
