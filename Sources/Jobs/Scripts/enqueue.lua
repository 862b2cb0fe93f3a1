-- Purpose: enqueues up to 500 jobs, ready or delayed; a job whose id still lives is left as it is.
-- KEYS: jobs HASH, later ZSET, wake LIST, stats HASH, ready:0 … ready:3 LIST (JobKeys.forEnqueue)
-- ARGV: three per job: id · specification · when (see enqueue_fragment.lua, which this is built on)
-- Replies: for each job in order 1 = added, 0 = duplicate
-- Cost: O(1) a job (O(log n) delayed); seven commands a call
-- Why: an enqueue that may have been lost is simply repeated: the id makes it idempotent.
return muster_enqueue(1, (muster_clock()), ARGV)
