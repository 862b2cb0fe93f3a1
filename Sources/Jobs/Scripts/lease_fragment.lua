-- Purpose: reads and writes a job's state, the value in `attempts` of every job that was leased at least once; and what happens
--   to a job with a key, a callback or a unique key when its lease ends.
-- KEYS: none of its own; functions that take `q` want `JobKeys.all` (muster_queue)
-- ARGV: none of its own
-- Replies: muster_parse returns a table or nil; muster_state returns the text; muster_holds returns a boolean
-- Cost: O(1); muster_unhold O(log n)
-- Why: the state is apart from the envelope, so that a lease rewrites some 40 bytes and not the payload. Its form is
--   "<L leased, M leased with extras, - not leased, D dead><priority><token, 16 digits><envelope bytes, 7 digits> <attempt>
--   <crashes> <max attempts> <worker|-> <reason|-> <history|-> <last error>", or just "W" for a callback that waits for others.
--   Flag, token and bytes stand at fixed places, so that the fence and the books need no parsing.

local function muster_parse(text)
    local attempt, crashes, max, worker, reason, history, err =
        string.match(text, '^ (%d+) (%d+) (%d+) (%S+) (%S+) (%S+) ?(.*)$', 26)
    if not attempt then
        return nil
    end
    return {
        flag = string.sub(text, 1, 1), priority = string.sub(text, 2, 2), token = string.sub(text, 3, 18),
        bytes = string.sub(text, 19, 25), attempt = tonumber(attempt), crashes = tonumber(crashes),
        max = tonumber(max), worker = worker, reason = reason, history = history, error = err,
    }
end

local function muster_state(state)
    return state.flag .. state.priority .. state.token .. state.bytes .. ' ' .. state.attempt .. ' ' .. state.crashes .. ' '
        .. state.max .. ' ' .. state.worker .. ' ' .. state.reason .. ' ' .. state.history .. ' ' .. state.error
end

-- Whether the job is leased under just this token: what fences late workers.
local function muster_holds(text, token)
    if not text then
        return false
    end
    local flag = string.byte(text)
    return (flag == 76 or flag == 77) and string.sub(text, 3, 18) == token
end

-- The state of a job that was never leased.
local function muster_fresh(envelope)
    local priority, max = string.match(envelope, '^%d %d+ (%d) (%d+)')
    return {
        flag = '-', priority = priority, token = '0000000000000000', bytes = string.format('%07d', muster_size(envelope)),
        attempt = 0, crashes = 0, max = tonumber(max), worker = '-', reason = '-', history = '-', error = '',
    }
end

-- Notes how a lease ended, in the last twenty such notes: "<what><begin ms>-<end ms>".
local function muster_note(state, what, now)
    local note = what .. string.format('%.0f-%.0f', math.floor(state.token / 1000), now)
    local history = state.history == '-' and note or state.history .. ',' .. note
    local _, commas = string.gsub(history, ',', ',')
    if commas >= 20 then
        history = string.gsub(history, '^[^,]*,', '', 1)
    end
    state.history = history
end

-- Lets a key that was held back go on, where jobs of it wait.
local function muster_open(q, key)
    local first = redis.call('ZRANGEBYLEX', q.groups, '[' .. key .. ' ', '(' .. key .. '!', 'LIMIT', 0, 1)[1]
    if first then
        local turn = tonumber(redis.call('HGET', q.stats, 'turn') or 0)
        redis.call('ZADD', q.ring, 'LT', string.sub(first, #key + 2, #key + 2) * 1e12 + turn, key)
        return true
    end
    return false
end

-- A job does not run any more: its key has a place again.
local function muster_unhold(q, id, words)
    if words.g and redis.call('ZREM', q.held, words.g .. ' ' .. id) == 1 and redis.call('ZREM', q.gates, words.g) == 1
        and muster_open(q, words.g) then
        muster_wake(q.wake)
    end
end

-- Moves a job to the dead letters. `words` is nil for one without extras. The caller writes the state.
local function muster_bury(q, id, state, words, reason, err, now)
    state.flag, state.reason, state.error = 'D', reason, err
    redis.call('ZADD', q.dead, now, id)
    redis.call('HINCRBY', q.stats, 'buried', 1)
    redis.call('HINCRBY', q.stats, 'deadBytes', tonumber(state.bytes))
    if words then
        muster_forget(q, id, words, true)
    end
end

-- Where the queue's concurrency limit kept jobs back, an end lets one go on.
local function muster_relieve(stats, wake)
    if redis.call('HGET', stats, 'throttled') then
        muster_wake(wake)
    end
end
