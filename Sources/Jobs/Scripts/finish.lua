-- Purpose: ends up to 500 leased jobs that have extras as done: unique keys, places of keys, callbacks and results are seen to.
-- KEYS: JobKeys.all
-- ARGV: three per job: id · token · result (bytes, kept where the job's word k says so)
-- Replies: as complete.lua
-- Cost: O(log n) a job; up to a dozen commands a job
-- Why: apart from complete.lua, which most jobs take and which is to be fast; the worker knows by the envelope which it is.
local q = muster_queue(1)
local now = muster_clock()
local replies = {}
local completed, bytes, kept = 0, 0, 0
for i = 1, #ARGV, 3 do
    local id = ARGV[i]
    local text = redis.call('HGET', q.attempts, id)
    if muster_holds(text, ARGV[i + 1]) then
        replies[#replies + 1] = 1
        local state, envelope = muster_parse(text), redis.call('HGET', q.jobs, id)
        redis.call('HDEL', q.attempts, id)
        redis.call('HDEL', q.jobs, id)
        redis.call('ZREM', q.leased, id)
        redis.call('HDEL', q.progress, id)
        completed, bytes = completed + 1, bytes + state.bytes
        local words = muster_words(envelope or '')
        muster_unhold(q, id, words)
        muster_forget(q, id, words, false)
        if words.k then
            local enqueued, kind = string.match(envelope, '^%d (%d+) %d %d+ (%S+)')
            local record = string.format('%.0f %s %.0f %d ', now, enqueued, math.floor(state.token / 1000), state.attempt)
                .. state.worker .. ' ' .. kind .. ' ' .. state.history .. '\n' .. ARGV[i + 2]
            kept = kept + #record - (redis.call('HSTRLEN', q.results, id))
            redis.call('HSET', q.results, id, record)
            redis.call('ZADD', q.done, now + words.k, id)
        end
    else
        replies[#replies + 1] = text and 0 or 2
    end
end
if completed > 0 then
    redis.call('HINCRBY', q.stats, 'completed', completed)
    redis.call('HINCRBY', q.stats, 'bytes', -bytes)
    if kept ~= 0 then
        redis.call('HINCRBY', q.stats, 'doneBytes', kept)
    end
    muster_relieve(q.stats, q.wake)
end
return replies
