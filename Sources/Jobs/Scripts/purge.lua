-- Purpose: forgets up to 500 dead letters for good.
-- KEYS: JobKeys.all
-- ARGV: ids
-- Replies: for each id in order 1 = gone, 0 = no such dead letter
-- Cost: O(log n) a job; some six commands each
-- Why: the only way out of the dead letters but redrive.lua; a callback that waits for the job waits no longer.
local q = muster_queue(1)
local replies, purged = {}, 0
for k, id in ipairs(ARGV) do
    replies[k] = muster_purge(q, id) and 1 or 0
    purged = purged + replies[k]
end
if purged > 0 then
    redis.call('HINCRBY', q.stats, 'purged', purged)
end
return replies
