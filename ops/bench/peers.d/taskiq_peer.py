"""taskiq with taskiq-redis: its broker on a list, and the one on a stream."""

import asyncio

import uvloop
from taskiq.api import run_receiver_task
from taskiq.serializers import ORJSONSerializer
from taskiq_redis import ListQueueBroker, RedisStreamBroker

from peer import PAYLOAD, REDIS, from_callers, main, tally


def bench(setting):
    """The broker of a setting "<kind> <jobs at once>", and its job."""
    kind, concurrency = setting.split()
    if kind == "list":
        broker = ListQueueBroker(REDIS)
    else:
        broker = RedisStreamBroker(REDIS, consumer_id="0", xread_count=500)
    broker = broker.with_serializer(ORJSONSerializer())

    @broker.task(task_name="nothing")
    async def nothing(n: str) -> None:
        tally.add()

    return broker, nothing, int(concurrency)


def enqueue(clock, setting, count, seconds):
    async def run():
        broker, nothing, _ = bench(setting)
        await broker.startup()
        clock.start()
        clock.report(await from_callers(16, count, seconds, lambda n: nothing.kiq(PAYLOAD)))
        await broker.shutdown()

    uvloop.run(run())


def work(setting):
    async def run():
        broker, _, concurrency = bench(setting)
        broker.is_worker_process = True
        await broker.startup()
        await run_receiver_task(
            broker, max_async_tasks=concurrency, max_prefetch=concurrency, validate_params=False)

    uvloop.run(run())


main(
    "taskiq", ["list 20", "list 200", "stream 200"],
    "broker {} at once; kiq from 16 callers (no bulk call), no results, no validation, uvloop, orjson, hiredis",
    {"list": "lost", "stream": "run again"}, enqueue, work)
