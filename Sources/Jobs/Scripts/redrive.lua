-- Purpose: lets up to 500 dead letters run again, as if new, and makes up to 500 scheduled jobs run now.
-- KEYS: JobKeys.all
-- ARGV: ids
-- Replies: for each id in order 1 = it waits now, 0 = no such job, 2 = it waits, runs or is blocked already, "u<id>" = the job of
--   that id has its unique key now
-- Cost: O(log n) a job; some ten commands each
-- Why: attempts and crashes begin anew, the history and the last error stay to be read, and the token goes on rising.
local q = muster_queue(1)
local now = muster_clock()
local replies, woken, ready = {}, 0, 0
for k, id in ipairs(ARGV) do
    local envelope, text = redis.call('HGET', q.jobs, id), redis.call('HGET', q.attempts, id)
    local state = text and muster_parse(text)
    if not envelope or string.byte(envelope) == 120 then
        replies[k] = 0
    else
        local words = string.byte(envelope) == 50 and muster_words(envelope) or {}
        local priority = string.match(envelope, '^%d %d+ (%d)')
        if redis.call('ZREM', q.later, id) == 1 then
            replies[k] = 1
            muster_place(q, id, priority, words, false)
        elseif state and state.flag == 'D' then
            local holder = words.u and muster_holder(q, id, words, now)
            if holder then
                replies[k] = 'u' .. holder
            else
                replies[k] = 1
                woken = woken + 1
                if words.u then
                    muster_claim(q, id, words, now)
                end
                redis.call('ZREM', q.dead, id)
                redis.call('HINCRBY', q.stats, 'deadBytes', -state.bytes)
                muster_note(state, 'r', now)
                state.flag, state.reason, state.attempt, state.crashes = '-', '-', 0, 0
                redis.call('HSET', q.attempts, id, muster_state(state))
                muster_place(q, id, priority, words, false)
            end
        else
            replies[k] = 2
        end
        ready = ready + (replies[k] == 1 and 1 or 0)
    end
end
if ready > 0 then
    muster_wake(q.wake)
end
if woken > 0 then
    redis.call('HINCRBY', q.stats, 'redriven', woken)
end
return replies
