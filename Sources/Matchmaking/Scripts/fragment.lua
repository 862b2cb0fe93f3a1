-- Purpose: what the matchmaking scripts share, as local functions for their heads: the clock, the change stream, the
--   ways into the queue and out of it, and how a ticket ends.
-- KEYS: 1 queue ZSET · 2 changes STREAM · 3 stats HASH · 4 deadlines ZSET · 5 proposed ZSET · 6 placing ZSET ·
--   7 ready ZSET (MatchmakingKeys.common), in every script that uses this
-- ARGV: none of its own
-- Replies: none of its own
-- Cost: O(log n) a ticket
-- Why: ids in the change stream are <epoch>-<number>, the number rising by one, so that a reader sees that it missed
--   entries (trimmed) or that the stream was lost and begun again (another epoch) without any other look-up. Tickets
--   that came into the queue and went out of it are counted where the queue is written, so entered - left = waiting.

local function mm_clock()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function mm_publish(now, ...)
    local epoch = redis.call('HGET', KEYS[3], 'epoch')
    if not epoch then
        epoch = string.format('%.0f', now)
        redis.call('HSET', KEYS[3], 'epoch', epoch)
    end
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', 50000, epoch .. '-*', ...)
end

-- The entry holds all that a ranker's view needs, so that a view never has to ask for the ticket.
local function mm_publish_queued(now, id, queuedAt, body)
    mm_publish(now, 's', 'queued', 't', id, 'q', queuedAt, 'b', body)
end

-- Into the queue, at the time it was first queued; counted unless it was there.
local function mm_enter(queuedAt, id)
    redis.call('HINCRBY', KEYS[3], 'entered', redis.call('ZADD', KEYS[1], queuedAt, id))
end

-- Out of the queue; counted unless it was not there.
local function mm_leave(id)
    redis.call('HINCRBY', KEYS[3], 'left', redis.call('ZREM', KEYS[1], id))
end

-- Back to the queue with the time of its first queueing: who waited longest is still first.
local function mm_requeue(now, key, id)
    local fields = redis.call('HMGET', key, 'queuedAt', 'body', 'maxWait')
    redis.call('HSET', key, 'state', 'queued', 'since', now)
    redis.call('HDEL', key, 'match', 'acceptBy', 'roster')
    mm_enter(fields[1], id)
    redis.call('ZADD', KEYS[4], fields[1] + fields[3], 't:' .. id)
    mm_publish_queued(now, id, fields[1], fields[2])
end

-- A final state; the hash stays readable for `ttl` seconds.
local function mm_end(now, key, state, reason, ttl)
    redis.call('HSET', key, 'state', state, 'since', now, 'reason', reason)
    redis.call('EXPIRE', key, ttl)
end
