"""Dramatiq with its Redis broker."""

import os
import threading

# Read when dramatiq is loaded.
os.environ["dramatiq_queue_prefetch"] = "1000"

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries

from peer import PAYLOAD, REDIS, in_turn, main, tally

broker = RedisBroker(url=REDIS or "redis://127.0.0.1", middleware=[Retries()])
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="nothing")
def nothing(n):
    tally.add()


def enqueue(clock, setting, count, seconds):
    broker.client.ping()
    clock.start()
    clock.report(in_turn(count, seconds, lambda n: nothing.send(PAYLOAD)))


def work(setting):
    dramatiq.Worker(broker, worker_threads=int(setting)).start()
    threading.Event().wait()


main(
    "dramatiq", ["1", "4", "8"],
    "threads {}; send (no bulk call), prefetch 1000, no middleware but Retries, hiredis", "run again", enqueue, work)
