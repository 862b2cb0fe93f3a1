-- Purpose: hands up to 500 leased jobs back without using up an attempt: to the front at once, or later (snooze).
-- KEYS: JobKeys.all
-- ARGV: three per job: id · token · delay (ms; 0 = at once)
-- Replies: for each job in order 1 = handed back, 0 = refused, 2 = unknown (as complete.lua)
-- Cost: O(log n) a job; some ten commands a call, and a few for each job with extras
-- Why: a worker that stops, or does not know the kind, is not the job's fault. The state stays, so that the next token rises.
local q = muster_queue(1)
local now = muster_clock()
local ids = {}
for i = 1, #ARGV, 3 do
    ids[#ids + 1] = ARGV[i]
end
local states = redis.call('HMGET', q.attempts, unpack(ids))
local replies, seen, moved, updates, dues = {}, {}, {}, {}, {}
local front, handed = { {}, {}, {}, {} }, false
for k = #ids, 1, -1 do
    local at, id = 3 * k - 2, ids[k]
    if not seen[id] and muster_holds(states[k], ARGV[at + 1]) then
        replies[k] = 1
        seen[id] = true
        local state = muster_parse(states[k])
        local delay = tonumber(ARGV[at + 2])
        local words
        if state.flag == 'M' then
            words = muster_words(redis.call('HGET', q.jobs, id) or '')
            muster_unhold(q, id, words)
        end
        muster_note(state, delay == 0 and 'h' or 's', now)
        state.flag, state.attempt = '-', state.attempt - 1
        if delay ~= 0 then
            dues[#dues + 1] = now + delay
            dues[#dues + 1] = id
        else
            handed = true
            if words and words.g then
                muster_place(q, id, state.priority, words, true)
            else
                local list = front[state.priority + 1]
                list[#list + 1] = id
            end
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
redis.call('ZREM', q.leased, unpack(moved))
redis.call('HSET', q.attempts, unpack(updates))
redis.call('HDEL', q.progress, unpack(moved))
for level = 1, 4 do
    if #front[level] > 0 then
        redis.call('LPUSH', q.ready[level], unpack(front[level]))
    end
end
if #dues > 0 then
    muster_schedule(q.later, q.wake, dues)
end
if handed then
    muster_wake(q.wake)
end
redis.call('HINCRBY', q.stats, 'released', #moved)
muster_relieve(q.stats, q.wake)
return replies
