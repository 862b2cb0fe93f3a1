-- Purpose: leases up to `limit` jobs that may run. First it reaps leases that ran out and promotes jobs that fell due.
-- KEYS: JobKeys.all
-- ARGV: limit (0 to 500 jobs), lease (ms), sweep (at most so many jobs reaped, and so many promoted), worker id
-- Replies: { token, work left (1 or 0), ms until the next job falls due, lease runs out or limit allows (-1: never),
--   leased: id, attempt, envelope, …, buried as crashed or expired: id, attempt, envelope, reason, … }
-- Cost: O(log n) a job; some 18 commands a call, however many plain jobs; some six more for each job with a key
-- Why: judged by Redis TIME, so that no worker's clock matters. The token is the time in µs, above any former token of these
--   jobs: it rises with each attempt, also across a FLUSHALL. Reaped jobs go to the front (they waited their turn already);
--   a job that took its last allowed attempt, or as many workers as it may, down with it is buried. The first write of each
--   step takes away, so that a full Redis (OOM) still hands out work.
local q = muster_queue(1)
local limit, lease, sweep, worker = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now, micros = muster_clock()

-- Limits of single keys are read when such a key has its turn, as there may be many.
local limits = {}
local function read_limits()
    local names = { 'paused', 'concurrency', 'rate', 'key.concurrency', 'key.rate', 'weights', 'overrides' }
    local values = redis.call('HMGET', q.limits, unpack(names))
    for i = 1, #names do
        limits[names[i]] = values[i] or nil
    end
end

local function push(lists, front)
    for level = 1, 4 do
        if #lists[level] > 0 then
            redis.call(front and 'LPUSH' or 'RPUSH', q.ready[level], unpack(lists[level]))
        end
    end
end

local function reap()
    local buried = {}
    local expired = redis.call('ZRANGEBYSCORE', q.leased, '-inf', now, 'LIMIT', 0, sweep)
    if #expired == 0 then
        return buried
    end
    local states = redis.call('HMGET', q.attempts, unpack(expired))
    local envelopes = redis.call('HMGET', q.jobs, unpack(expired))
    redis.call('ZREM', q.leased, unpack(expired))
    redis.call('HDEL', q.progress, unpack(expired))
    local front, updates, recovered = { {}, {}, {}, {} }, {}, 0
    for k = #expired, 1, -1 do
        local id, state, envelope = expired[k], states[k] and muster_parse(states[k]), envelopes[k]
        if state and envelope then
            local words = muster_words(envelope)
            if state.flag == 'M' then
                muster_unhold(q, id, words)
            end
            state.crashes = state.crashes + 1
            muster_note(state, 'c', now)
            if state.attempt >= state.max or state.crashes >= tonumber(words.c or 2) then
                local text = 'the worker vanished ' .. state.crashes .. ' times, last ' .. state.worker
                muster_bury(q, id, state, words, 'crashed', text, now)
                for _, part in ipairs({ id, state.attempt, envelope, 'crashed' }) do
                    buried[#buried + 1] = part
                end
            else
                state.flag = '-'
                recovered = recovered + 1
                if words.g then
                    muster_place(q, id, state.priority, words, true)
                else
                    local list = front[state.priority + 1]
                    list[#list + 1] = id
                end
            end
            updates[#updates + 1] = id
            updates[#updates + 1] = muster_state(state)
        end
    end
    push(front, true)
    if #updates > 0 then
        redis.call('HSET', q.attempts, unpack(updates))
    end
    if recovered > 0 then
        redis.call('HINCRBY', q.stats, 'recovered', recovered)
    end
    return buried
end

local function promote()
    for _, key in ipairs(redis.call('ZRANGEBYSCORE', q.gates, '-inf', now, 'LIMIT', 0, sweep)) do
        redis.call('ZREM', q.gates, key)
        muster_open(q, key)
    end
    local due = redis.call('ZRANGEBYSCORE', q.later, '-inf', now, 'LIMIT', 0, sweep)
    if #due == 0 then
        return
    end
    local envelopes = redis.call('HMGET', q.jobs, unpack(due))
    redis.call('ZREM', q.later, unpack(due))
    local back = { {}, {}, {}, {} }
    for k = 1, #due do
        local envelope = envelopes[k]
        local priority = envelope and string.match(envelope, '^%d %d+ (%d)')
        local words = priority and string.byte(envelope) == 50 and muster_words(envelope)
        if words and words.g then
            muster_place(q, due[k], priority, words, false)
        elseif priority then
            local list = back[priority + 1]
            list[#list + 1] = due[k]
        end
    end
    push(back, false)
end

-- "count period burst" as the interval between two, and how far ahead of it may be run, in ms.
local function rate_of(text)
    local count, period, burst = string.match(text, '^(%S+) (%S+) (%S+)$')
    local interval = period / count
    return interval, (burst - 1) * interval
end

-- How many of `want` the rate allows now, and the theoretical arrival time that they would leave (GCRA).
local function allowed(name, text, want)
    local interval, ahead = rate_of(text)
    local exact = micros / 1000
    local base = math.max(exact, tonumber(redis.call('ZSCORE', q.rates, name) or 0))
    local count = math.max(0, math.min(want, math.floor((exact + ahead - base) / interval + 1e-6) + 1))
    return count, base + count * interval, math.ceil(base - ahead)
end

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
        local count, after, free = allowed(key, rate, 1)
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
local function pop(want)
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

-- Returns the reply for the jobs among `ids` (some may be tombstones of cancelled jobs), their token, and whether some
-- came too late, whose end may let others go on.
local function take(ids, buried)
    local out, late = {}, false
    if #ids == 0 then
        return out, micros, late
    end
    local envelopes = redis.call('HMGET', q.jobs, unpack(ids))
    local states = redis.call('HMGET', q.attempts, unpack(ids))
    local token = micros
    for k = 1, #ids do
        local former = states[k] and tonumber(string.sub(states[k], 3, 18))
        if former and former >= token then
            token = former + 1
        end
    end
    local mark, expiry = string.format('%.0f', token), now + lease
    local tail = ' ' .. worker .. ' - - '
    local updates, leases, gone, widths = {}, {}, {}, {}
    for k = 1, #ids do
        local id, envelope, text, attempt = ids[k], envelopes[k], states[k], 1
        local version = envelope and string.byte(envelope)
        if version == 120 then
            gone[#gone + 1] = id
        elseif version then
            local words = version == 50 and muster_words(envelope)
            if text then
                local state = muster_parse(text) or muster_fresh(envelope)
                attempt = state.attempt + 1
                state.flag, state.token, state.attempt, state.worker = words and 'M' or 'L', mark, attempt, worker
                text = muster_state(state)
            else
                local enqueued = words and words.x and string.match(envelope, '^%d (%d+)')
                if enqueued and now > enqueued + words.x then
                    local state = muster_fresh(envelope)
                    muster_unhold(q, id, words)
                    muster_bury(q, id, state, words, 'expired', 'not started within ' .. words.x .. ' ms', now)
                    redis.call('HSET', q.attempts, id, muster_state(state))
                    for _, part in ipairs({ id, 0, envelope, 'expired' }) do
                        buried[#buried + 1] = part
                    end
                    text, late = nil, true
                else
                    local size = math.min(#envelope, 9999999)
                    local width = widths[size]
                    if not width then
                        width = string.format('%07d', size)
                        widths[size] = width
                    end
                    local priority, max = string.match(envelope, '^%d %d+ (%d) (%d+)')
                    text = (words and 'M' or 'L') .. priority .. mark .. width .. ' 1 0 ' .. max .. tail
                end
            end
            if text then
                updates[#updates + 1] = id
                updates[#updates + 1] = text
                leases[#leases + 1] = expiry
                leases[#leases + 1] = id
                out[#out + 1] = id
                out[#out + 1] = attempt
                out[#out + 1] = envelope
            end
        end
    end
    if #gone > 0 then
        redis.call('HDEL', q.jobs, unpack(gone))
        redis.call('HINCRBY', q.stats, 'tombstones', -#gone)
    end
    if #out > 0 then
        redis.call('HSET', q.attempts, unpack(updates))
        redis.call('ZADD', q.leased, unpack(leases))
    end
    return out, token, late
end

-- How many may be taken now, and how many the concurrency limit leaves.
local function room()
    local want, free = limit, math.huge
    if limits.paused then
        return 0, free
    end
    if limits.concurrency then
        free = math.max(0, limits.concurrency - redis.call('ZCARD', q.leased))
        want = math.min(want, free)
    end
    if limits.rate and want > 0 then
        want = allowed('', limits.rate, want)
    end
    return want, free
end

local next_due = -1
local function consider(at)
    local wait = math.max(0, at - now)
    if next_due < 0 or wait < next_due then
        next_due = wait
    end
end

-- Whether a worker could take more at once, of what is left; where the queue's limits forbid it, sees to it that one
-- comes back when they allow it.
local function may_go_on(taken, free)
    if limits.paused then
        return false
    end
    if taken >= free then
        redis.call('HSET', q.stats, 'throttled', 1)
        return false
    end
    if limits.rate then
        local count, _, at = allowed('', limits.rate, 1)
        if count == 0 then
            consider(at)
            return false
        end
    end
    return true
end

local buried = reap()
promote()
read_limits()
local want, free = room()
local ids, left = pop(want)
local out, token, late = take(ids, buried)
local taken = #out / 3
if limits.concurrency then
    redis.call('HDEL', q.stats, 'throttled')
end
if limits.rate and taken > 0 then
    local _, after = allowed('', limits.rate, taken)
    redis.call('ZADD', q.rates, after, '')
end
left = (left or late) and may_go_on(taken, free)
if left then
    muster_wake(q.wake)
else
    redis.call('DEL', q.wake)
    for _, key in ipairs({ q.later, q.gates, q.leased }) do
        -- Only this worker knows when to look again. Where it is busy now, another must know too; that leases run out
        -- is seen soon enough by those that look of themselves.
        if key == q.leased and next_due >= 0 and taken >= limit then
            muster_wake(q.wake)
        end
        local score = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
        if score and score ~= 'inf' then
            consider(tonumber(score))
        end
    end
end
return { string.format('%.0f', token), left and 1 or 0, math.ceil(next_due), out, buried }
