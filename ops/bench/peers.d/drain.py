"""One run of a peer: its jobs in, its workers started, their tallies read, the workers ended."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

# Till a worker's first completion, and without any further one.
START_SECONDS = 12
IDLE_SECONDS = 1.0


class Unable(Exception):
    """Why a peer has no figure, in words."""


def last_words(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def flush(port):
    subprocess.run(["redis-cli", "-p", str(port), "flushall"], check=True, stdout=subprocess.DEVNULL, timeout=20)


def environment(port, tallies=""):
    return os.environ | {"PEER_REDIS": f"redis://127.0.0.1:{port}/0", "PEER_TALLY": tallies}


def enqueue(command, setting, count, seconds, port):
    """How many jobs went in, and jobs/s. Bounded in both; a slow peer gets fewer jobs."""
    arguments = command + ["enqueue", setting, str(count), str(seconds)]
    try:
        ran = subprocess.run(arguments, env=environment(port), capture_output=True, text=True, timeout=seconds + 10)
    except subprocess.TimeoutExpired:
        raise Unable("enqueueing did not end in time") from None
    if ran.returncode != 0:
        raise Unable("enqueueing failed: " + last_words(ran.stderr))
    report = json.loads(ran.stdout)
    return report["count"], report["count"] / report["seconds"]


def drain(command, setting, processes, count, seconds, options):
    """Jobs/s of so many processes, over at most so many jobs and seconds."""
    tallies = tempfile.mkdtemp(dir=options.folder)
    log = os.path.join(options.folder, "worker.log")
    workers = []
    try:
        with open(log, "w") as output:
            for _ in range(processes):
                workers.append(subprocess.Popen(
                    command + ["work", setting], env=environment(options.port, tallies), stdin=subprocess.DEVNULL,
                    stdout=output, stderr=output, start_new_session=True))
        series = follow(tallies, workers, processes, count, seconds)
    finally:
        for worker in workers:
            # Each leads a group of its own, which holds what it forked.
            try:
                os.killpg(worker.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            worker.wait()
        shutil.rmtree(tallies, ignore_errors=True)
    if not series:
        with open(log) as file:
            raise Unable(f"no job was completed within {START_SECONDS} s: " + last_words(file.read()))
    return rate(series)


def follow(tallies, workers, processes, count, seconds):
    """The tallies, once all jobs are done, the time is up or nothing more happens."""
    limit = time.monotonic() + START_SECONDS
    series, total, changed = [], 0, time.monotonic()
    while True:
        time.sleep(0.05)
        now = time.monotonic()
        series = read(tallies)
        if not series:
            if now > limit or all(worker.poll() is not None for worker in workers):
                return []
            continue
        done = sum(samples[-1][1] for samples in series)
        if done != total:
            total, changed = done, now
        began = max(samples[0][0] for samples in series) if len(series) >= processes else min(
            samples[0][0] for samples in series) + seconds / 2
        if done >= count or now - began >= seconds or now - changed >= IDLE_SECONDS:
            return series


def read(tallies):
    """For each process its samples (monotonic seconds, completed jobs)."""
    series = []
    for name in os.listdir(tallies):
        with open(os.path.join(tallies, name)) as file:
            lines = file.read().split("\n")[:-1]
        samples = [(float(when), int(jobs)) for when, jobs in map(str.split, lines)]
        if samples:
            series.append(samples)
    return series


def rate(series):
    """Jobs/s from when every process had completed one, so that a late start does not count against two of them."""
    end = max(samples[-1][0] for samples in series)
    begin = max(samples[0][0] for samples in series)
    if end - begin < 0.2:
        begin = min(samples[0][0] for samples in series)
    done = sum(samples[-1][1] - completed_at(begin, samples) for samples in series)
    if end <= begin:
        raise Unable("too few jobs were completed to tell a rate")
    return done / (end - begin)


def completed_at(moment, samples):
    """How many of a process were completed at a moment, between two samples in proportion."""
    before = (moment, 0)
    for sample in samples:
        if sample[0] >= moment:
            if before[1] == 0:
                return sample[1] if sample[0] == moment else 0
            share = (moment - before[0]) / (sample[0] - before[0])
            return before[1] + share * (sample[1] - before[1])
        before = sample
    return samples[-1][1]
