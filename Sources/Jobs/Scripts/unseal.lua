-- Purpose: says that all jobs a callback is to wait for are enqueued; it runs when the last of them has ended.
-- KEYS: JobKeys.all
-- ARGV: id of the callback
-- Replies: 1
-- Cost: O(log n)
-- Why: a batch may take several calls to enqueue; without the seal, its callback could run before its later jobs are there.
muster_arrive(muster_queue(1), ARGV[1], '')
return 1
