-- Purpose: ends up to 500 attempts that failed: the job comes back later, or is buried with a reason code.
-- KEYS: JobKeys.all
-- ARGV: five per job: id · token · "retry" or "bury" · delay (ms) or reason code · error text
-- Replies: for each job in order 1 = done, 0 = refused, 2 = unknown (as complete.lua)
-- Cost: O(log n) a job; some ten commands a call, and a few for each job that is buried or has extras
-- Why: the worker judges (it knows the error and the backoff), the script only moves; fenced as complete.lua is.
local q = muster_queue(1)
local now = muster_clock()
local ids = {}
for i = 1, #ARGV, 5 do
    ids[#ids + 1] = ARGV[i]
end
local states = redis.call('HMGET', q.attempts, unpack(ids))
local replies, seen, moved, updates, dues = {}, {}, {}, {}, {}
for k = 1, #ids do
    local at, id = 5 * k - 4, ids[k]
    if not seen[id] and muster_holds(states[k], ARGV[at + 1]) then
        replies[k] = 1
        seen[id] = true
        local state = muster_parse(states[k])
        local words
        redis.call('ZREM', q.leased, id)
        if state.flag == 'M' then
            words = muster_words(redis.call('HGET', q.jobs, id) or '')
            muster_unhold(q, id, words)
        end
        if ARGV[at + 2] == 'bury' then
            muster_note(state, 'b', now)
            muster_bury(q, id, state, words, ARGV[at + 3], ARGV[at + 4], now)
        else
            muster_note(state, 'f', now)
            state.flag, state.error = '-', ARGV[at + 4]
            dues[#dues + 1] = now + tonumber(ARGV[at + 3])
            dues[#dues + 1] = id
        end
        moved[#moved + 1] = id
        updates[#updates + 1] = id
        updates[#updates + 1] = muster_state(state)
    else
        replies[k] = states[k] and 0 or 2
    end
end
if #moved == 0 then
    return replies
end
redis.call('HSET', q.attempts, unpack(updates))
redis.call('HDEL', q.progress, unpack(moved))
if #dues > 0 then
    muster_schedule(q.later, q.wake, dues)
    redis.call('HINCRBY', q.stats, 'retried', #dues / 2)
end
muster_relieve(q.stats, q.wake)
return replies
