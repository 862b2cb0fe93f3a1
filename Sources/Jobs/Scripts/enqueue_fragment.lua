-- Purpose: the one implementation of enqueueing, as local functions for the head of a script. `enqueue.lua` is built on it,
--   and so is any other room's script that must enqueue in the same call as its own writes.
-- KEYS: eight of one queue, in the order of `JobKeys.forEnqueue`, from KEYS[first] on:
--   jobs HASH, later ZSET, wake LIST, stats HASH, ready:0 … ready:3 LIST
-- ARGV: none of its own; the caller passes `items`, a flat table of three per job:
--   id · specification ("priority maxAttempts kind …\n" .. payload, see Envelope.swift) ·
--   when: "0" at once, "+ms" after so many ms, or the due time in Unix ms
-- Replies: muster_enqueue returns a table with, for each job, 1 = added, 0 = a job of that id still lives (or is dead)
-- Cost: O(1) a job that is ready at once, O(log n) a delayed one; seven commands a call, however many jobs. At most 500 jobs.
-- Why: envelopes live in one HASH per queue, not in a key per job: every key can then be declared, one HMGET or HSET serves
--   a whole batch (a key per job costs a command each), and a waiting job needs no key name, object and hash of its own
--   (measured on 7.0.15, 26-byte ids, 95-byte payloads: 168 bytes + payload a job against 402; enqueue 3.4 µs against 8.8).
--   A cancelled waiting job leaves "x<priority>" in `jobs`, because taking it out of the list would cost O(n); the entry is
--   dropped when its turn comes, or taken over here by a new job of the same id.

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

local function muster_enqueue(first, now, items)
    local jobs, later, wake, stats = KEYS[first], KEYS[first + 1], KEYS[first + 2], KEYS[first + 3]
    local ids = {}
    for i = 1, #items, 3 do
        ids[#ids + 1] = items[i]
    end
    local present = redis.call('HMGET', jobs, unpack(ids))
    local prefix = '1 ' .. string.format('%.0f', now) .. ' '
    local replies, added, envelopes, dues, abandoned = {}, {}, {}, {}, {}
    local ready = { {}, {}, {}, {} }
    local count, revived, pushed = 0, 0, false
    for k = 1, #ids do
        local id, specification, when = ids[k], items[3 * k - 1], items[3 * k]
        local former = present[k]
        local tombstone = former and string.byte(former) == 120
        if added[id] or (former and not tombstone) then
            replies[k] = 0
        else
            replies[k] = 1
            added[id] = true
            count = count + 1
            envelopes[2 * count - 1] = id
            envelopes[2 * count] = prefix .. specification
            local level = string.byte(specification) - 47
            local here = tombstone and string.byte(former, 2) - 47
            if tombstone then
                revived = revived + 1
            end
            if here and (when ~= '0' or here ~= level) then
                abandoned[#abandoned + 1] = { here, id }
            end
            if when ~= '0' then
                local due = tonumber(when)
                if string.byte(when) == 43 then
                    due = now + due
                end
                dues[#dues + 1] = due
                dues[#dues + 1] = id
            else
                pushed = true
                if here ~= level then
                    local list = ready[level]
                    list[#list + 1] = id
                end
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
    if #dues > 0 then
        muster_schedule(later, wake, dues)
    end
    if pushed then
        muster_wake(wake)
    end
    redis.call('HINCRBY', stats, 'enqueued', count)
    if revived > 0 then
        redis.call('HINCRBY', stats, 'tombstones', -revived)
    end
    return replies
end
