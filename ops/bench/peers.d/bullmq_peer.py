"""BullMQ for Python. (The one for Node.js is not on PyPI.)"""

import asyncio
import time

import uvloop
from bullmq import Queue, Worker

from peer import PAYLOAD, REDIS, main, tally

BATCH = 500


def enqueue(clock, setting, count, seconds):
    async def run():
        queue = Queue("bench", {"connection": REDIS})
        await queue.getJobCounts("waiting")
        clock.start()
        end = time.monotonic() + seconds
        done = 0
        while done < count and time.monotonic() < end:
            batch = min(BATCH, count - done)
            job = {"name": "nothing", "data": {"n": PAYLOAD}, "opts": {"removeOnComplete": True}}
            await queue.addBulk([job] * batch)
            done += batch
        clock.report(done)
        await queue.close()

    uvloop.run(run())


def work(setting):
    async def nothing(job, token):
        tally.add()

    async def run():
        worker = Worker("bench", nothing, {"connection": REDIS, "concurrency": int(setting)})
        await asyncio.Event().wait()
        await worker.close()

    uvloop.run(run())


main(
    "bullmq", ["5", "20", "100"], "concurrency {}; addBulk of 500, removeOnComplete, uvloop, hiredis", "run again",
    enqueue, work)
