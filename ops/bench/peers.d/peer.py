"""What the Python peers share: their command line, and the tally of completed jobs.

    PEER describe                          prints version, settings to try and conditions as JSON
    PEER enqueue SETTING COUNT SECONDS     enqueues until COUNT or SECONDS is reached, prints how many in how long
    PEER work SETTING                      works until it is killed
The server's address is in PEER_REDIS, the folder of the tallies in PEER_TALLY.
"""

import asyncio
import importlib.metadata
import itertools
import json
import os
import sys
import threading
import time

REDIS = os.environ.get("PEER_REDIS", "")
PAYLOAD = "muster"


class Tally:
    """Counts the completed jobs of this process.

    A thread writes "<monotonic seconds> <count>" to a file 20 times a second: that costs the peer next to nothing, and
    needs no word with the server that is being measured. It begins with the first job, for some peers fork before.
    """

    def __init__(self):
        self._numbers = itertools.count(1)
        self._latest = (0.0, 0)

    def add(self):
        number = next(self._numbers)
        self._latest = (time.monotonic(), number)
        if number == 1:
            threading.Thread(target=self._write, args=(self._latest,), daemon=True).start()

    def _write(self, first):
        path = os.path.join(os.environ["PEER_TALLY"], str(os.getpid()))
        with open(path, "w", buffering=1) as file:
            print(*first, file=file)
            written = first
            while True:
                time.sleep(0.05)
                if self._latest != written:
                    written = self._latest
                    print(*written, file=file)


tally = Tally()


async def from_callers(callers, count, seconds, enqueue_one):
    """Enqueues one by one from so many callers at once; for peers without a call for many. Returns how many."""
    numbers = itertools.count()
    end = time.monotonic() + seconds
    done = 0

    async def caller():
        nonlocal done
        while time.monotonic() < end and (number := next(numbers)) < count:
            await enqueue_one(number)
            done += 1

    await asyncio.gather(*(caller() for _ in range(callers)))
    return done


def in_turn(count, seconds, enqueue_one):
    """Enqueues one after the other. Returns how many."""
    end = time.monotonic() + seconds
    for number in range(count):
        if time.monotonic() >= end:
            return number
        enqueue_one(number)
    return count


class Clock:
    """Measures an enqueueing from when its connection is there."""

    def start(self):
        self.begin = time.monotonic()

    def report(self, count):
        print(json.dumps({"count": count, "seconds": time.monotonic() - self.begin}))


def main(package, settings, how, crash, enqueue, work):
    """The command line of a peer.

    `settings` are tried in a short run each. `how` says what holds for all of them, `crash` what becomes of the jobs
    that a killed worker was running, "lost" or "run again"; where that differs, by the first word of the setting.
    `enqueue(clock, setting, count, seconds)` calls `clock.start` once it is connected and `clock.report` at the end.
    """
    match sys.argv[1:]:
        case ["describe"]:
            version = importlib.metadata.version(package)
            print(json.dumps({"version": version, "settings": settings, "how": how, "crash": crash}))
        case ["enqueue", setting, count, seconds]:
            enqueue(Clock(), setting, int(count), float(seconds))
        case ["work", setting]:
            work(setting)
        case _:
            sys.exit(__doc__)
