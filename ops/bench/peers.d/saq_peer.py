"""SAQ on Redis."""

import orjson
import uvloop
from saq import Worker
from saq.queue.redis import RedisQueue

from peer import PAYLOAD, REDIS, from_callers, main, tally


def queue(operations):
    return RedisQueue.from_url(
        REDIS, name="bench", dump=orjson.dumps, load=orjson.loads, max_concurrent_ops=operations)


async def nothing(context, *, n):
    tally.add()


def enqueue(clock, setting, count, seconds):
    async def run():
        jobs = queue(20)
        await jobs.connect()
        clock.start()

        # A time to live below zero: no result is kept. A second try: the jobs of a killed worker are not given up.
        def one(n):
            return jobs.enqueue("nothing", n=PAYLOAD, ttl=-1, retries=2)

        clock.report(await from_callers(16, count, seconds, one))
        await jobs.disconnect()

    uvloop.run(run())


def work(setting):
    async def run():
        jobs = queue(int(setting))
        await jobs.connect()
        await Worker(jobs, [nothing], concurrency=int(setting)).start()

    uvloop.run(run())


main(
    "saq", ["10", "50", "200"],
    "concurrency {}; enqueue from 16 callers (no bulk call), no results kept, retries 2, uvloop, orjson, hiredis",
    "run again", enqueue, work)
