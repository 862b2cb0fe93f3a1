-- Purpose: moves one job to the dead letters by hand, wherever it lives; a leased one's worker learns it at its next renewal.
-- KEYS: JobKeys.all
-- ARGV: id · reason code · text
-- Replies: 1 = buried, 0 = no such job, 2 = dead already
-- Cost: O(n) of the waiting jobs of its priority, where it waits; otherwise O(log n)
-- Why: an operator's act, one job at a time, so the search in the list is no matter, and leaves nothing behind to be skipped.
local q = muster_queue(1)
local now = muster_clock()
local id = ARGV[1]
local envelope, text = redis.call('HGET', q.jobs, id), redis.call('HGET', q.attempts, id)
if not envelope or string.byte(envelope) == 120 then
    return 0
end
local state = text and muster_parse(text) or muster_fresh(envelope)
if state.flag == 'D' then
    return 2
end
local words = string.byte(envelope) == 50 and muster_words(envelope) or {}
if text == 'W' then
    redis.call('ZREMRANGEBYLEX', q.waits, '[' .. id .. ' ', '(' .. id .. '!')
    redis.call('HINCRBY', q.stats, 'blocked', -1)
elseif redis.call('ZREM', q.leased, id) == 1 then
    redis.call('HDEL', q.progress, id)
    muster_note(state, 'b', now)
    muster_unhold(q, id, words)
elseif redis.call('ZREM', q.later, id) == 0 then
    if words.g then
        redis.call('ZREM', q.groups, words.g .. ' ' .. state.priority .. words.q .. ' ' .. id)
    else
        redis.call('LREM', q.ready[state.priority + 1], 1, id)
    end
end
muster_bury(q, id, state, words, ARGV[2], ARGV[3], now)
redis.call('HSET', q.attempts, id, muster_state(state))
muster_relieve(q.stats, q.wake)
return 1
