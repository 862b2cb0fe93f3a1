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

-- Those of single keys apart: see pick_fragment.lua.
local limits = {}
local function read_limits()
    local names = { 'paused', 'concurrency', 'rate', 'key.concurrency', 'key.rate', 'weights', 'overrides' }
    local values = redis.call('HMGET', q.limits, unpack(names))
    for i = 1, #names do
        limits[names[i]] = values[i] or nil
    end
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
        want = muster_allowed(q, micros, '', limits.rate, want)
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
        local count, _, at = muster_allowed(q, micros, '', limits.rate, 1)
        if count == 0 then
            consider(at)
            return false
        end
    end
    return true
end

local buried = muster_reap(q, now, sweep)
muster_promote(q, now, sweep)
read_limits()
local want, free = room()
local ids, left = muster_pick(q, micros, limits, want)
local out, token, late = take(ids, buried)
local taken = #out / 3
if limits.concurrency then
    redis.call('HDEL', q.stats, 'throttled')
end
if limits.rate and taken > 0 then
    local _, after = muster_allowed(q, micros, '', limits.rate, taken)
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
