-- An instance says that it lives, how it is and which matches it runs: registers it, and recomputes its state and its
-- free slots from that and from the allocations that it has not named yet. What Redis forgot comes back with the next
-- heartbeat.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  1 instance  2 record as JSON  3 slots  4 what it says it is  5 build  6 … the matches that run there
-- Reply {free slots, matches held, state, 'drain', 'shutdown' or ''}
-- Cost  O((running + held) log N); both are bounded by an instance's slots (at most 1,000)

local instance, record, slots, said = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now = fleet_now()

redis.call('HSET', KEYS[1], instance, record)
redis.call('ZADD', KEYS[2], now, instance)

local running, busy = {}, 0
for index = 6, #ARGV do
  local match = ARGV[index]
  if not running[match] then
    running[match] = true
    busy = busy + 1
    local allocation = redis.call('HGET', KEYS[4], match)
    local owner = allocation and string.match(allocation, '^(%S+)')
    if owner ~= instance then
      -- Lost by a wipe, or taken for lost while the instance was silent: the instance that runs it is right.
      if owner then
        redis.call('ZREM', KEYS[5], owner .. '/' .. match)
        fleet_emptied(owner, now)
      end
      redis.call('HSET', KEYS[4], match, instance .. ' ' .. string.format('%.0f', now))
    end
    redis.call('ZADD', KEYS[5], 0, instance .. '/' .. match)
    redis.call('ZREM', KEYS[6], match)
    redis.call('HDEL', KEYS[7], match)
  end
end

local prefix = instance .. '/'
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], '[' .. prefix, '(' .. instance .. '0')) do
  local match = string.sub(member, #prefix + 1)
  if not running[match] then
    local expiry = redis.call('ZSCORE', KEYS[6], match)
    if not expiry then
      -- Named by an earlier heartbeat and no longer: it is over.
      redis.call('ZREM', KEYS[5], member)
      redis.call('HDEL', KEYS[4], match)
    elseif tonumber(expiry) > now then
      busy = busy + 1
    end
  end
end

local order = fleet_order(instance)
if order ~= 'drain' and (said == 'draining' or slots == 0) then
  order = 'drain'
  redis.call('HSET', KEYS[9], instance, 'drain ' .. string.format('%.0f', now) .. ' itself')
end

local held = fleet_held(instance)
local wanted = said
if order == 'drain' then
  wanted = 'draining'
elseif said == 'ready' or held > 0 and said == 'starting' then
  wanted = held > 0 and 'allocated' or 'ready'
end
local state = fleet_move(instance, wanted, now)
if state == 'draining' and held == 0 then state = fleet_move(instance, 'shutdown', now) end

local free = math.max(0, slots - busy)
if (state == 'ready' or state == 'allocated') and not order then
  redis.call('ZADD', KEYS[3], fleet_build(ARGV[5]) * BUILD_STEP + free, instance)
else
  redis.call('ZREM', KEYS[3], instance)
end

local command = ''
if state == 'shutdown' then command = 'shutdown' elseif order == 'drain' then command = 'drain' end
return {free, busy, state, command}
