-- Purpose: the one implementation of enqueueing, as local functions for the head of a script. `enqueue.lua` is built on it,
--   and so is any other room's script that must enqueue in the same call as its own writes.
-- KEYS: fifteen of one queue, in the order of `JobKeys.forEnqueue`, from KEYS[first] on:
--   jobs HASH, later ZSET, wake LIST, stats HASH, ready:0 … ready:3 LIST, limits HASH, unique HASH, groups ZSET, ring ZSET,
--   waits ZSET, attempts HASH, dead ZSET
-- ARGV: none of its own; the caller passes `items`, a flat table of three per job:
--   id · specification ("priority maxAttempts kind …\n" .. payload, see Envelope.swift) ·
--   when: "0" at once, "+ms" after so many ms, the due time in Unix ms, or "w" when the jobs that name it as their callback have
--   ended; then "*" where the specification has words that scripts judge
-- Replies: muster_enqueue returns a table with, for each job, 1 = added, 0 = a job of that id still lives (or is dead),
--   "u<id>" = the job of that id holds the unique key, "full" = over the queue's budget, "draining" = the queue takes none
-- Cost: O(1) a job that is ready at once, O(log n) a delayed one or one with a key; nine commands a call, however many plain jobs.
--   At most 500 jobs.
-- Why: envelopes live in one HASH per queue, not in a key per job: every key can then be declared, one HMGET or HSET serves
--   a whole batch (a key per job costs a command each), and a waiting job needs no key name, object and hash of its own
--   (measured on 7.0.15, 26-byte ids, 95-byte payloads: 168 bytes + payload a job against 402; enqueue 3.4 µs against 8.8).
--   A cancelled waiting job leaves "x<priority>" in `jobs`, because taking it out of the list would cost O(n); the entry is
--   dropped when its turn comes, or taken over here by a new job of the same id. Jobs with a key all wait in one sorted set,
--   `groups`, ordered by key, so that a key needs no Redis key of its own.

local function muster_clock()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000), time[1] * 1000000 + time[2]
end

-- Holds at most one element, so that a thousand jobs wake one idle worker, which wakes the next if work remains.
local function muster_wake(wake)
    if redis.call('LLEN', wake) == 0 then
        redis.call('RPUSH', wake, '1')
    end
end

-- `dues` is a flat table of score, id. A job that is now the first to fall due wakes a worker: it may block for longer.
local function muster_schedule(later, wake, dues)
    local first = redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')[2]
    local soonest = first and tonumber(first) or math.huge
    local earlier = false
    for i = 1, #dues, 2 do
        earlier = earlier or dues[i] < soonest
    end
    redis.call('ZADD', later, unpack(dues))
    if earlier then
        muster_wake(wake)
    end
end

-- The queue's keys by name; those past `dead` only where the script declares them (`JobKeys.all`).
local function muster_queue(first)
    return {
        jobs = KEYS[first], later = KEYS[first + 1], wake = KEYS[first + 2], stats = KEYS[first + 3],
        ready = { KEYS[first + 4], KEYS[first + 5], KEYS[first + 6], KEYS[first + 7] },
        limits = KEYS[first + 8], unique = KEYS[first + 9], groups = KEYS[first + 10], ring = KEYS[first + 11],
        waits = KEYS[first + 12], attempts = KEYS[first + 13], dead = KEYS[first + 14], leased = KEYS[first + 15],
        gates = KEYS[first + 16], held = KEYS[first + 17], rates = KEYS[first + 18], results = KEYS[first + 19],
        done = KEYS[first + 20], progress = KEYS[first + 21],
    }
end

-- The bytes of an envelope as they are counted: its state has seven digits for them. None that workers take is so long.
local function muster_size(envelope)
    return math.min(#envelope, 9999999)
end

-- The words of an envelope's or a specification's first line that scripts judge.
local function muster_words(text)
    local words = {}
    for name, value in string.gmatch(string.match(text, '^[^\n]*'), ' (%a+)=(%S+)') do
        words[name] = value
    end
    return words
end

-- Puts a job where it can be taken: at the end (or front) of its list; one with a key at its own place in its key's line.
-- A key that waits for its turn keeps it, unless this job is of a better priority.
local function muster_place(q, id, priority, words, front)
    if words and words.g then
        redis.call('ZADD', q.groups, 0, words.g .. ' ' .. priority .. words.q .. ' ' .. id)
        local turn = tonumber(redis.call('HGET', q.stats, 'turn') or 0)
        redis.call('ZADD', q.ring, 'LT', priority * 1e12 + turn, words.g)
    else
        redis.call(front and 'LPUSH' or 'RPUSH', q.ready[priority + 1], id)
    end
end

-- A job that `callback` waits for has ended; the last one lets it run.
local function muster_arrive(q, callback, id)
    if redis.call('ZREM', q.waits, callback .. ' ' .. id) == 0
        or redis.call('ZLEXCOUNT', q.waits, '[' .. callback .. ' ', '(' .. callback .. '!') > 0
        or redis.call('HGET', q.attempts, callback) ~= 'W' then
        return
    end
    local envelope = redis.call('HGET', q.jobs, callback)
    redis.call('HDEL', q.attempts, callback)
    redis.call('HINCRBY', q.stats, 'blocked', -1)
    muster_place(q, callback, string.match(envelope, '^%d %d+ (%d)'), muster_words(envelope), false)
    muster_wake(q.wake)
end

-- What ends with a job: its unique key, and its callback's wait; a buried job is waited for on, unless its word is P.
local function muster_forget(q, id, words, buried)
    if words.u then
        local lock = redis.call('HGET', q.unique, words.u)
        if lock and string.match(lock, '^%S+') == id then
            redis.call('HDEL', q.unique, words.u)
        end
    end
    local callback = words.P or not buried and words.p
    if callback then
        muster_arrive(q, callback, id)
    end
end

-- The id of another live job that has the unique key, if one does.
local function muster_holder(q, id, words, now)
    local lock = redis.call('HGET', q.unique, words.u)
    if lock then
        local holder, ends = string.match(lock, '^(%S+) (%d+)$')
        if holder ~= id and (ends == '0' or tonumber(ends) > now) then
            return holder
        end
    end
end

local function muster_claim(q, id, words, now)
    redis.call('HSET', q.unique, words.u, id .. ' ' .. string.format('%.0f', words.uw and now + words.uw or 0))
end

-- Drops the oldest job of the lowest priority that waits in a list; answers its bytes, or nil where none does.
local function muster_shed(q)
    for level = 4, 1, -1 do
        local id = redis.call('LPOP', q.ready[level])
        while id do
            local envelope = redis.call('HGET', q.jobs, id)
            if envelope then
                redis.call('HDEL', q.jobs, id)
                if string.byte(envelope) == 120 then
                    redis.call('HINCRBY', q.stats, 'tombstones', -1)
                else
                    redis.call('HDEL', q.attempts, id)
                    redis.call('HINCRBY', q.stats, 'shed', 1)
                    redis.call('HINCRBY', q.stats, 'bytes', -muster_size(envelope))
                    muster_forget(q, id, muster_words(envelope), false)
                    return muster_size(envelope)
                end
            end
            id = redis.call('LPOP', q.ready[level])
        end
    end
end

-- What is kept under an id, where shedding may have changed it since it was read: the entry of a cancelled job is taken out
-- of its list here, not taken over, as a job that is shed for a later one must be older than this call.
local function muster_settled(q, id)
    local former = redis.call('HGET', q.jobs, id)
    if former and string.byte(former) == 120 then
        redis.call('LREM', q.ready[string.byte(former, 2) - 47], 1, id)
        redis.call('HDEL', q.jobs, id)
        redis.call('HINCRBY', q.stats, 'tombstones', -1)
        return false
    end
    return former
end

-- A function that admits a job of so many bytes, or tells why not; nil where the queue takes whatever comes.
local function muster_door(q, limits)
    if limits[1] then
        return function() return 'draining' end
    end
    local counts = redis.call('HMGET', q.stats, 'tombstones', 'bytes', 'deadBytes')
    local jobs = redis.call('HLEN', q.jobs) - (counts[1] or 0) - redis.call('ZCARD', q.dead)
    local bytes = (counts[2] or 0) - (counts[3] or 0)
    local jobs_max, bytes_max = tonumber(limits[2] or math.huge), tonumber(limits[3] or math.huge)
    return function(size)
        while jobs + 1 > jobs_max or bytes + size > bytes_max do
            local shed = limits[4] == 'shed' and size <= bytes_max and muster_shed(q)
            if not shed then
                return 'full'
            end
            jobs, bytes = jobs - 1, bytes - shed
        end
        jobs, bytes = jobs + 1, bytes + size
    end
end

local function muster_enqueue(first, now, items)
    local jobs, stats = KEYS[first], KEYS[first + 3]
    local ids = {}
    for i = 1, #items, 3 do
        ids[#ids + 1] = items[i]
    end
    local present = redis.call('HMGET', jobs, unpack(ids))
    local limits = redis.call('HMGET', KEYS[first + 8], 'draining', 'jobs.max', 'bytes.max', 'overflow')
    local q, door
    if limits[1] or limits[2] or limits[3] then
        q = muster_queue(first)
        door = muster_door(q, limits)
    end
    local plain = '1 ' .. string.format('%.0f', now) .. ' '
    local replies, added, envelopes, dues, abandoned, placed, blocked = {}, {}, {}, {}, {}, {}, {}
    local ready = { {}, {}, {}, {} }
    local sheds = (limits[2] or limits[3]) and limits[4] == 'shed'
    local sequence
    local count, revived, bytes, pushed = 0, 0, 0, false
    for k = 1, #ids do
        local id, specification, when = ids[k], items[3 * k - 1], items[3 * k]
        local former, words = present[k], nil
        if sheds and not added[id] then
            former = muster_settled(q, id)
        end
        local tombstone = former and string.byte(former) == 120
        local reply = 1
        if added[id] or (former and not tombstone) then
            reply = 0
        else
            if when ~= '0' and string.byte(when, -1) == 42 then
                q = q or muster_queue(first)
                when = string.sub(when, 1, -2)
                words = muster_words(specification)
                if words.g then
                    sequence = sequence or redis.call('HINCRBY', stats, 'sequence', #ids) - #ids
                    words.q = string.format('%016.0f', sequence + k)
                    specification = string.gsub(specification, '\n', ' q=' .. words.q .. '\n', 1)
                end
            end
            local holder = words and words.u and muster_holder(q, id, words, now)
            reply = holder and 'u' .. holder or door and door(#specification + #plain) or 1
            if reply == 1 and words and words.u then
                muster_claim(q, id, words, now)
            end
        end
        replies[k] = reply
        if reply == 1 then
            local envelope = (words and '2' .. string.sub(plain, 2) or plain) .. specification
            added[id] = true
            count = count + 1
            bytes = bytes + muster_size(envelope)
            envelopes[2 * count - 1] = id
            envelopes[2 * count] = envelope
            local level = string.byte(specification) - 47
            local here = tombstone and string.byte(former, 2) - 47
            local joins = when == '0' and not (words and words.g)
            if tombstone then
                revived = revived + 1
                if not joins or here ~= level then
                    abandoned[#abandoned + 1] = { here, id }
                end
            end
            if words and (words.p or words.P) then
                redis.call('ZADD', q.waits, 0, (words.p or words.P) .. ' ' .. id)
            end
            if when == '0' then
                pushed = true
                if not joins then
                    placed[#placed + 1] = { id, level - 1, words }
                elseif here ~= level then
                    local list = ready[level]
                    list[#list + 1] = id
                end
            elseif when == 'w' then
                blocked[#blocked + 1] = id
            else
                local due = tonumber(when)
                if string.byte(when) == 43 then
                    due = now + due
                end
                dues[#dues + 1] = due
                dues[#dues + 1] = id
            end
        end
    end
    if count == 0 then
        return replies
    end
    redis.call('HSET', jobs, unpack(envelopes))
    for _, entry in ipairs(abandoned) do
        redis.call('LREM', KEYS[first + 3 + entry[1]], 1, entry[2])
    end
    for level = 1, 4 do
        if #ready[level] > 0 then
            redis.call('RPUSH', KEYS[first + 3 + level], unpack(ready[level]))
        end
    end
    for _, entry in ipairs(placed) do
        muster_place(q, entry[1], entry[2], entry[3], false)
    end
    for _, id in ipairs(blocked) do
        redis.call('HSET', KEYS[first + 13], id, 'W')
        redis.call('ZADD', KEYS[first + 12], 0, id .. ' ')
        redis.call('HINCRBY', stats, 'blocked', 1)
    end
    if #dues > 0 then
        muster_schedule(KEYS[first + 1], KEYS[first + 2], dues)
    end
    if pushed then
        muster_wake(KEYS[first + 2])
    end
    redis.call('HINCRBY', stats, 'enqueued', count)
    redis.call('HINCRBY', stats, 'bytes', bytes)
    if revived > 0 then
        redis.call('HINCRBY', stats, 'tombstones', -revived)
    end
    return replies
end
