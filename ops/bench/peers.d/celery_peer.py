"""Celery with Redis as its broker and no result backend."""

import logging

from celery import Celery

from peer import PAYLOAD, REDIS, in_turn, main, tally

app = Celery("bench", broker=REDIS)
app.conf.update(
    task_ignore_result=True,
    task_serializer="json",
    worker_disable_rate_limits=True,
    worker_prefetch_multiplier=100,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="nothing", ignore_result=True)
def nothing(n):
    tally.add()


def enqueue(clock, setting, count, seconds):
    with app.producer_pool.acquire(block=True) as producer:
        nothing.apply_async((PAYLOAD,), producer=producer)
        clock.start()
        clock.report(in_turn(count - 1, seconds, lambda n: nothing.apply_async((PAYLOAD,), producer=producer)))


def work(setting):
    logging.basicConfig(level=logging.ERROR)
    pool, concurrency = setting.split()
    app.worker_main([
        "worker", f"--pool={pool}", f"--concurrency={concurrency}", "--loglevel=ERROR", "--without-gossip",
        "--without-mingle", "--without-heartbeat",
    ])


main(
    "celery", ["solo 1", "prefork 1", "threads 4"],
    "pool {}; apply_async on one connection (no bulk call), no results, prefetch 100, no gossip or heartbeat, hiredis",
    "lost", enqueue, work)
