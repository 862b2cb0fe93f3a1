-- Purpose: leases up to `limit` ready jobs. First it reaps leases that ran out and promotes jobs that fell due.
-- KEYS: jobs HASH, later ZSET, wake LIST, stats HASH, ready:0 … ready:3 LIST, attempts HASH, leased ZSET, dead ZSET
-- ARGV: limit (0 to 500 jobs), lease (ms), sweep (at most so many jobs reaped, and so many promoted)
-- Replies: { token, work left (1 or 0), ms until the next job falls due or lease runs out (-1: none does),
--   leased: id, attempt, envelope, …, buried as crashed: id, attempt, envelope, … }
-- Cost: O(log n) a job; some 18 commands a call, however many jobs
-- Why: judged by Redis TIME, so that no worker's clock matters. The token is the time in µs, above any former token of these
--   jobs: it rises with each attempt, also across a FLUSHALL. Reaped jobs go to the front (they waited their turn already);
--   a job that took its last allowed attempt down with its worker is buried. The first write of each step takes away, so
--   that a full Redis (OOM) still hands out work.
local jobs, later, wake, stats = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local attempts, leased, dead = KEYS[9], KEYS[10], KEYS[11]
local limit, lease, sweep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now, micros = muster_clock()

local function reap()
    local buried = {}
    local expired = redis.call('ZRANGEBYSCORE', leased, '-inf', now, 'LIMIT', 0, sweep)
    if #expired == 0 then
        return buried
    end
    local states = redis.call('HMGET', attempts, unpack(expired))
    redis.call('ZREM', leased, unpack(expired))
    local front, updates, ends, recovered = { {}, {}, {}, {} }, {}, {}, 0
    for k = #expired, 1, -1 do
        local id, state = expired[k], states[k] and muster_parse(states[k])
        if state then
            state.crashes = state.crashes + 1
            if state.attempt >= state.max then
                state.flag, state.reason = 'D', 'crashed'
                ends[#ends + 1] = now
                ends[#ends + 1] = id
                buried[#buried + 1] = id
                buried[#buried + 1] = state.attempt
                buried[#buried + 1] = redis.call('HGET', jobs, id)
            else
                state.flag = '-'
                recovered = recovered + 1
                local list = front[state.priority + 1]
                list[#list + 1] = id
            end
            updates[#updates + 1] = id
            updates[#updates + 1] = muster_state(state)
        end
    end
    for level = 1, 4 do
        if #front[level] > 0 then
            redis.call('LPUSH', KEYS[4 + level], unpack(front[level]))
        end
    end
    if #updates > 0 then
        redis.call('HSET', attempts, unpack(updates))
    end
    if #ends > 0 then
        redis.call('ZADD', dead, unpack(ends))
        redis.call('HINCRBY', stats, 'buried', #ends / 2)
    end
    if recovered > 0 then
        redis.call('HINCRBY', stats, 'recovered', recovered)
    end
    return buried
end

local function promote()
    local due = redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, sweep)
    if #due == 0 then
        return
    end
    local envelopes = redis.call('HMGET', jobs, unpack(due))
    redis.call('ZREM', later, unpack(due))
    local back = { {}, {}, {}, {} }
    for k = 1, #due do
        local priority = envelopes[k] and string.match(envelopes[k], '^1 %d+ (%d)')
        if priority then
            local list = back[priority + 1]
            list[#list + 1] = due[k]
        end
    end
    for level = 1, 4 do
        if #back[level] > 0 then
            redis.call('RPUSH', KEYS[4 + level], unpack(back[level]))
        end
    end
end

local function pop()
    local ids = {}
    for level = 1, 4 do
        if #ids < limit then
            local popped = redis.call('LPOP', KEYS[4 + level], limit - #ids)
            if popped then
                for k = 1, #popped do
                    ids[#ids + 1] = popped[k]
                end
            end
        end
    end
    return ids
end

-- Returns the reply for the jobs among `ids` (some are tombstones of cancelled jobs) and their token.
local function take(ids)
    local out = {}
    if #ids == 0 then
        return out, micros
    end
    local envelopes = redis.call('HMGET', jobs, unpack(ids))
    local states = redis.call('HMGET', attempts, unpack(ids))
    local token = micros
    for k = 1, #ids do
        local former = states[k] and tonumber(string.sub(states[k], 3, 18))
        if former and former >= token then
            token = former + 1
        end
    end
    local mark, expiry = string.format('%.0f', token), now + lease
    local updates, leases, gone = {}, {}, {}
    for k = 1, #ids do
        local id, envelope, attempt = ids[k], envelopes[k], 1
        if envelope and string.byte(envelope) == 49 then
            if states[k] then
                local state = muster_parse(states[k])
                attempt = state.attempt + 1
                state.flag, state.token, state.attempt = 'L', mark, attempt
                updates[#updates + 1] = id
                updates[#updates + 1] = muster_state(state)
            else
                local priority, max = string.match(envelope, '^1 %d+ (%d) (%d+)')
                updates[#updates + 1] = id
                updates[#updates + 1] = 'L' .. priority .. mark .. ' 1 0 ' .. max .. ' - '
            end
            leases[#leases + 1] = expiry
            leases[#leases + 1] = id
            out[#out + 1] = id
            out[#out + 1] = attempt
            out[#out + 1] = envelope
        elseif envelope then
            gone[#gone + 1] = id
        end
    end
    if #gone > 0 then
        redis.call('HDEL', jobs, unpack(gone))
        redis.call('HINCRBY', stats, 'tombstones', -#gone)
    end
    if #out > 0 then
        redis.call('HSET', attempts, unpack(updates))
        redis.call('ZADD', leased, unpack(leases))
    end
    return out, token
end

local buried = reap()
promote()
local out, token = take(pop())

local left = 0
for level = 1, 4 do
    if left == 0 and redis.call('LLEN', KEYS[4 + level]) > 0 then
        left = 1
    end
end
local next_due = -1
if left == 1 then
    muster_wake(wake)
else
    redis.call('DEL', wake)
    for _, key in ipairs({ later, leased }) do
        local score = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
        if score then
            local wait = math.max(0, tonumber(score) - now)
            if next_due < 0 or wait < next_due then
                next_due = wait
            end
        end
    end
end
return { string.format('%.0f', token), left, next_due, out, buried }
