-- Purpose: which of the jobs that may run are taken next: by the weights of priorities, the turns of keys, and their limits.
-- KEYS: JobKeys.all, by way of `q`
-- ARGV: none of its own
-- Replies: muster_allowed returns how many of `want` a rate allows now, the theoretical arrival time that they would leave, and
--   when the next is allowed (ms); muster_pick returns ids, taken out of where they waited, and whether some are left that
--   could be taken
-- Cost: O(1) for plain jobs, O(log n) and some six commands for each job with a key
-- Why: apart from the leases, as what is fair and allowed is judged before anything is leased. Rates are GCRA (ITU-T I.371) by
--   Redis TIME in µs. A key at its limit leaves the ring for `gates`, so that looking for work never passes over it again.

-- "count period burst" as the interval between two, and how far ahead of it may be run, in ms.
local function muster_rate(text)
    local count, period, burst = string.match(text, '^(%S+) (%S+) (%S+)$')
    local interval = period / count
    return interval, (burst - 1) * interval
end

-- How many of `want` the rate allows now, and the theoretical arrival time that they would leave (GCRA).
local function muster_allowed(q, micros, name, text, want)
    local interval, ahead = muster_rate(text)
    local exact = micros / 1000
    local base = math.max(exact, tonumber(redis.call('ZSCORE', q.rates, name) or 0))
    local count = math.max(0, math.min(want, math.floor((exact + ahead - base) / interval + 1e-6) + 1))
    return count, base + count * interval, math.ceil(base - ahead)
end

-- `limits`: the queue's, by field; those of single keys are read when such a key has its turn, as there may be many.
local function muster_pick(q, micros, limits, want)
    -- When a key that has its fill may go on: ms, or +inf for when a job of its own ends; nil where it may now.
    local function gate(key)
        local most, rate = limits['key.concurrency'], limits['key.rate']
        if limits.overrides then
            local own = redis.call('HMGET', q.limits, 'key.concurrency:' .. key, 'key.rate:' .. key)
            most, rate = own[1] or most, own[2] or rate
        end
        if most and redis.call('ZLEXCOUNT', q.held, '[' .. key .. ' ', '(' .. key .. '!') >= tonumber(most) then
            return '+inf'
        end
        if rate then
            local count, after, free = muster_allowed(q, micros, key, rate, 1)
            if count == 0 then
                return free
            end
            redis.call('ZADD', q.rates, after, key)
        end
    end

    local turn

    -- Takes the first job of one key; false where the key has none of this level or may not go on.
    local function take_of(key, level, ids)
        local line = redis.call('ZRANGEBYLEX', q.groups, '[' .. key .. ' ', '(' .. key .. '!', 'LIMIT', 0, 2)
        local first, follower = line[1], line[2]
        local taken = false
        if first and string.byte(first, #key + 2) - 47 == level then
            local wait = gate(key)
            if wait then
                redis.call('ZREM', q.ring, key)
                redis.call('ZADD', q.gates, wait, key)
                return false
            end
            redis.call('ZREM', q.groups, first)
            local id = string.sub(first, #key + 20)
            redis.call('ZADD', q.held, 0, key .. ' ' .. id)
            ids[#ids + 1] = id
            turn = turn + 1
            first, taken = follower, true
        end
        if first then
            redis.call('ZADD', q.ring, (string.byte(first, #key + 2) - 48) * 1e12 + turn, key)
        else
            redis.call('ZREM', q.ring, key)
        end
        return taken
    end

    -- Takes up to `want` jobs that have a key: one of each key in turn, again and again.
    local function take_keys(level, want, ids)
        turn = turn or tonumber(redis.call('HGET', q.stats, 'turn') or 0)
        local begin, low = #ids, (level - 1) * 1e12
        while #ids - begin < want do
            local keys = redis.call('ZRANGEBYSCORE', q.ring, low, '(' .. low + 1e12, 'LIMIT', 0, want - (#ids - begin))
            if #keys == 0 then
                break
            end
            for _, key in ipairs(keys) do
                take_of(key, level, ids)
            end
        end
        return #ids - begin
    end

    -- How many of `want` each level gives, by weight: the next slots of a wheel in which each level has as many as it weighs.
    local function shares(want, supply)
        local share, only, levels = { 0, 0, 0, 0 }, 1, 0
        for level = 4, 1, -1 do
            if supply[level] > 0 then
                only, levels = level, levels + 1
            end
        end
        if levels <= 1 then
            share[only] = want
            return share
        end
        local weights, wheel = {}, 0
        for weight in string.gmatch(limits.weights or '64 16 4 1', '%d+') do
            weights[#weights + 1] = tonumber(weight)
            wheel = wheel + weight
        end
        local slot = redis.call('HINCRBY', q.stats, 'wheel', want) - want
        for _ = 1, want do
            local at, level = slot % wheel, 1
            while at >= weights[level] do
                at, level = at - weights[level], level + 1
            end
            if share[level] >= supply[level] then
                level = 1
                while level < 4 and share[level] >= supply[level] do
                    level = level + 1
                end
            end
            share[level] = share[level] + 1
            slot = slot + 1
        end
        return share
    end

    -- How many of so many places jobs with a key have, where others wait beside them: every other one, counted on from call to
    -- call, so that neither starves where only one is taken at a time.
    local function half(places)
        local last = redis.call('HINCRBY', q.stats, 'mixed', places)
        return math.floor((last + 1) / 2) - math.floor((last - places + 1) / 2)
    end

    -- Takes up to `want` ids; answers them and whether some are left that could be taken.
    local function pop()
        local ids, lengths, keys, supply = {}, {}, { 0, 0, 0, 0 }, {}
        local ringed = redis.call('ZCARD', q.ring) > 0
        for level = 1, 4 do
            lengths[level] = redis.call('LLEN', q.ready[level])
            if ringed then
                local low = (level - 1) * 1e12
                keys[level] = redis.call('ZCOUNT', q.ring, low, '(' .. low + 1e12)
            end
            supply[level] = keys[level] > 0 and math.huge or lengths[level]
        end
        local share = want > 0 and shares(want, supply) or { 0, 0, 0, 0 }
        -- Twice, because keys may give less than was hoped for: the others then give more.
        for round = 1, 2 do
            for level = 1, 4 do
                local most = round == 1 and share[level] or want - #ids
                if most > 0 and (keys[level] > 0 or round == 2 and ringed) then
                    local part = lengths[level] > 0 and round == 1 and half(most) or most
                    most = most - take_keys(level, part, ids)
                end
                if most > 0 and lengths[level] > 0 then
                    local popped = redis.call('LPOP', q.ready[level], most)
                    lengths[level] = lengths[level] - #popped
                    for k = 1, #popped do
                        ids[#ids + 1] = popped[k]
                    end
                end
            end
            if #ids >= want then
                break
            end
        end
        if turn then
            redis.call('HSET', q.stats, 'turn', string.format('%.0f', turn))
        end
        local left = lengths[1] + lengths[2] + lengths[3] + lengths[4] > 0
        return ids, left or ringed and redis.call('ZCARD', q.ring) > 0
    end

    return pop()
end
