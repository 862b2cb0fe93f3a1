"""arq."""

import asyncio

import uvloop
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker

from peer import PAYLOAD, REDIS, from_callers, main, tally


async def nothing(context, n):
    tally.add()


def enqueue(clock, setting, count, seconds):
    async def run():
        redis = await create_pool(RedisSettings.from_dsn(REDIS))
        clock.start()
        clock.report(await from_callers(16, count, seconds, lambda n: redis.enqueue_job("nothing", PAYLOAD)))
        await redis.aclose()

    uvloop.run(run())


def work(setting):
    asyncio.set_event_loop(uvloop.new_event_loop())
    Worker(
        [nothing], redis_settings=RedisSettings.from_dsn(REDIS), max_jobs=int(setting), poll_delay=0.005, keep_result=0,
        log_results=False
    ).run()


main(
    "arq", ["10", "100", "500"],
    "max_jobs {}; enqueue_job from 16 callers (no bulk call), poll_delay 5 ms, no results kept, uvloop, hiredis",
    "run again", enqueue, work)
