-- Purpose: what the fleet's scripts share: the clock, how an instance moves from state to state, and how its free slots
--   are offered. The table of transitions, `fleet_transitions`, is put before it (InstanceState).
--
-- KEYS  1 instances (hash)  2 beats (zset)  3 slots (zset)  4 allocations (hash)  5 held (zset)  6 unseen (zset)
--       7 lost (hash)  8 states (hash)  9 orders (hash)  10 builds (zset)  11 target (string), in every script that
--       uses this
-- ARGV  none of its own
-- Reply none of its own
-- Cost  O(log N) each
-- Why   A score of `slots` holds the build's number and the free slots, so that one range finds the instances of a build
--       that have room, in the order of how much.

local BUILD_STEP = 10000

local function fleet_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What the instance is now: the state asked for, or the one it had where the table has no such step.
local function fleet_move(instance, to, now)
  local from = redis.call('HGET', KEYS[8], instance)
  from = from and string.match(from, '^(%S+)')
  if from == to then return to end
  if from and not (fleet_transitions[from] and fleet_transitions[from][to]) then return from end
  redis.call('HSET', KEYS[8], instance, to .. ' ' .. string.format('%.0f', now))
  return to
end

local function fleet_state(instance)
  local state = redis.call('HGET', KEYS[8], instance)
  return state and string.match(state, '^(%S+)')
end

local function fleet_order(instance)
  local order = redis.call('HGET', KEYS[9], instance)
  return order and string.match(order, '^(%S+)')
end

-- '0' is the character after '/': the range is every name with the prefix.
local function fleet_held(instance)
  return redis.call('ZLEXCOUNT', KEYS[5], '[' .. instance .. '/', '(' .. instance .. '0')
end

-- The number of a build: the one that it got when it was seen first.
local function fleet_build(build)
  local number = redis.call('ZSCORE', KEYS[10], build)
  if number then return tonumber(number) end
  local newest = redis.call('ZREVRANGE', KEYS[10], 0, 0, 'WITHSCORES')
  number = tonumber(newest[2] or 0) + 1
  redis.call('ZADD', KEYS[10], number, build)
  return number
end

-- A match left the instance: with its last one, an allocated instance is ready again.
local function fleet_emptied(instance, now)
  if fleet_state(instance) == 'allocated' and fleet_held(instance) == 0 then fleet_move(instance, 'ready', now) end
end

-- What an instance held that is gone: those matches are lost, by it.
local function fleet_lose(instance, reason)
  local matches = {}
  local prefix = instance .. '/'
  for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. prefix, '(' .. instance .. '0')) do
    local match = string.sub(member, #prefix + 1)
    redis.call('ZREM', KEYS[5], member)
    redis.call('HDEL', KEYS[4], match)
    redis.call('ZREM', KEYS[6], match)
    redis.call('HSET', KEYS[7], match, reason .. ' ' .. instance)
    matches[#matches + 1] = match
  end
  redis.call('HDEL', KEYS[1], instance)
  redis.call('ZREM', KEYS[2], instance)
  redis.call('ZREM', KEYS[3], instance)
  redis.call('HDEL', KEYS[8], instance)
  redis.call('HDEL', KEYS[9], instance)
  return matches
end
