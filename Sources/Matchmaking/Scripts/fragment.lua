-- Purpose: what the matchmaking scripts share, as local functions for their heads: the clock, the change stream, the
--   ways into the queue and out of it, how a ticket's body is kept, and how a ticket ends.
-- KEYS: 1 queue ZSET · 2 changes STREAM · 3 stats HASH · 4 deadlines ZSET · 5 proposed ZSET · 6 placing ZSET ·
--   7 ready ZSET (MatchmakingKeys.common), in every script that uses this
-- ARGV: none of its own
-- Replies: none of its own
-- Cost: O(log n) a ticket
-- Why: ids in the change stream are <epoch>-<number>, the number rising by one, so that a reader sees that it missed
--   entries (trimmed) or that the stream was lost and begun again (another epoch) without any other look-up. Tickets
--   that came into the queue and went out of it are counted where the queue is written, so entered - left = waiting.
--   Ticket HASH: state · players joined by ',' · queuedAt · since · body… · maxWait, quiet in ms; in a match: match ·
--   roster · acceptBy · accepted, a '0' or '1' for each player; ended: reason · by; forming: joined · m<place>.

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

-- A body is kept in pieces of 64 bytes, `body`, `body2`, …: Redis keeps a hash with a longer value in a form that takes
-- twice the memory.
local function mm_keep_body(key, body)
    local fields = { 'body', string.sub(body, 1, 64) }
    for i = 2, math.ceil(#body / 64) do
        fields[#fields + 1] = 'body' .. i
        fields[#fields + 1] = string.sub(body, 64 * i - 63, 64 * i)
    end
    redis.call('HSET', key, unpack(fields))
end

local function mm_body(key)
    local pieces = { redis.call('HGET', key, 'body') or '' }
    -- A body of just so many pieces has none after the last.
    while #pieces[#pieces] == 64 do
        pieces[#pieces + 1] = redis.call('HGET', key, 'body' .. #pieces + 1) or ''
    end
    return table.concat(pieces)
end

-- A ticket that waits leaves by itself: at the end of its longest wait, or once nobody has asked for it for `quiet` ms.
local function mm_wait_until(id, now, queuedAt, maxWait, quiet)
    local last = queuedAt + maxWait
    if quiet then
        last = math.min(last, now + quiet)
    end
    redis.call('ZADD', KEYS[4], last, 't:' .. id)
end

-- For the ledger of tickets: created - ended = forming + waiting + in matches.
local function mm_created()
    redis.call('HINCRBY', KEYS[3], 'created', 1)
end

local function mm_ended()
    redis.call('HINCRBY', KEYS[3], 'ended', 1)
end

local function mm_forming(change)
    redis.call('HINCRBY', KEYS[3], 'forming', change)
end

-- Back to the queue with the time of its first queueing: who waited longest is still first.
local function mm_requeue(now, key, id)
    local fields = redis.call('HMGET', key, 'queuedAt', 'maxWait', 'quiet')
    redis.call('HSET', key, 'state', 'queued', 'since', now)
    redis.call('HDEL', key, 'match', 'acceptBy', 'roster', 'accepted', 'acceptedAt')
    mm_enter(fields[1], id)
    mm_wait_until(id, now, fields[1], fields[2], fields[3])
    mm_publish_queued(now, id, fields[1], mm_body(key))
end

-- A match ends; its hash stays readable for `ttl` seconds.
local function mm_end(now, key, state, reason, ttl)
    redis.call('HSET', key, 'state', state, 'since', now, 'reason', reason)
    redis.call('EXPIRE', key, ttl)
end

-- A ticket ends; `by` are the players who ended it, joined by ',', or ''.
local function mm_end_ticket(now, key, id, state, reason, ttl, by)
    mm_end(now, key, state, reason, ttl)
    if by ~= '' then
        redis.call('HSET', key, 'by', by)
    end
    mm_ended()
    mm_publish(now, 's', state, 't', id)
end

-- What the caller does after a ticket ended: players whose claims are free now, those to be cooled down marked by '!'.
local function mm_freed(reply, players, id, guilty)
    if guilty ~= '' then
        players = ',' .. players .. ','
        for player in string.gmatch(guilty, '[^,]+') do
            local at = string.find(players, ',' .. player .. ',', 1, true)
            if at then
                players = string.sub(players, 1, at) .. '!' .. string.sub(players, at + 1)
            end
        end
        players = string.sub(players, 2, -2)
    end
    reply[#reply + 1] = players
    reply[#reply + 1] = id
    return reply
end
