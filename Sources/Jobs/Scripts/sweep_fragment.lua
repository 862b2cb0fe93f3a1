-- Purpose: what time has brought about: reaps leases that ran out, promotes jobs that fell due and keys whose rate allows more.
-- KEYS: JobKeys.all, by way of `q`
-- ARGV: none of its own
-- Replies: muster_reap returns what it buried: id, attempt, envelope, reason, …; muster_promote returns nothing
-- Cost: O(log n) for each of at most `sweep` jobs
-- Why: `now` is Redis TIME, so no worker's clock matters. Reaped jobs go to the front: they waited their turn already. The
--   first write of each step takes away, so that a full Redis (OOM) still hands out work.

local function muster_push(q, lists, front)
    for level = 1, 4 do
        if #lists[level] > 0 then
            redis.call(front and 'LPUSH' or 'RPUSH', q.ready[level], unpack(lists[level]))
        end
    end
end

local function muster_reap(q, now, sweep)
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
    muster_push(q, front, true)
    if #updates > 0 then
        redis.call('HSET', q.attempts, unpack(updates))
    end
    if recovered > 0 then
        redis.call('HINCRBY', q.stats, 'recovered', recovered)
    end
    return buried
end

local function muster_promote(q, now, sweep)
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
    muster_push(q, back, false)
end
