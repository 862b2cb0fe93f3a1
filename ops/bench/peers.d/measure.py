"""Measures the peers and Muster on one redis-server, and prints the table. `ops/bench/peers` starts it.

Muster is measured before the peers and after them, and the slower run counts. Each peer first drains a few jobs with
each of its settings; the best of them then drains the full number with one process and with two. Every run begins on
an empty server, is bounded in jobs and in seconds, and takes its rate over what was drained in that time, from the
first completion to the last. A job counts as completed when its handler ran, which is a little before the peer's
server knows; Muster's count when the server knows.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

from drain import Unable, drain, enqueue, flush, last_words
from others import Others

TARGET = 3
# A peer is left at that after so many seconds, with what was measured till then.
SECONDS_PER_PEER = 60
MUSTER_ENQUEUE = "enqueue, batches of 100 from 4 callers"
MUSTER_DRAIN = "drain by one process, handler of single jobs"
MUSTER_BATCHES = "drain by one process, handler of batches"


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def measure_peer(name, options):
    """The row of a peer: with figures, or with "why" there are none."""
    why = os.path.join(options.folder, f"{name}.why")
    if os.path.exists(why):
        with open(why) as file:
            return {"name": name, "why": file.read().strip()}
    here = os.path.dirname(os.path.abspath(__file__))
    if name == "sidekiq":
        command = ["ruby", os.path.join(here, "sidekiq_peer.rb")]
    else:
        command = [os.path.join(options.folder, name, "bin", "python"), os.path.join(here, f"{name}_peer.py")]
    row = {"name": name}
    begun, others = time.monotonic(), Others(options.port)
    try:
        described = subprocess.run(command + ["describe"], capture_output=True, text=True, timeout=20)
        if described.returncode != 0:
            raise Unable("could not be started: " + last_words(described.stderr))
        row |= json.loads(described.stdout)
        measure_settings(command, row, options, begun)
    except Unable as error:
        row["why"] = str(error)
    except subprocess.TimeoutExpired:
        row["why"] = "could not be run: it did not answer within 20 s"
    row["others"] = others.share()
    row["took"] = round(time.monotonic() - begun, 1)
    return row


def measure_settings(command, row, options, begun):
    tried = {}
    row["tried"], row["refused"] = tried, []
    for setting in row["settings"]:
        if time.monotonic() - begun > SECONDS_PER_PEER / 2:
            break
        try:
            flush(options.port)
            count, _ = enqueue(command, setting, options.jobs // 2, 1.5, options.port)
            tried[setting] = drain(command, setting, 1, count, 1.5, options)
        except Unable as error:
            row["refused"].append(f"{setting}: {error}")
    if not tried:
        raise Unable("could not be run: " + "; ".join(row["refused"]))
    row["setting"] = setting = max(tried, key=tried.get)
    if isinstance(row["crash"], dict):
        row["crash"] = row["crash"][setting.split()[0]]
    row["drain"] = {}
    # A fast one gets more, so that two processes of it have work for three seconds.
    jobs = max(options.jobs, round(tried[setting] * 6))
    for processes in (1, 2):
        if time.monotonic() - begun > SECONDS_PER_PEER - 10:
            row["refused"].append(f"{processes} processes: no time left")
            break
        try:
            flush(options.port)
            count, rate = enqueue(command, setting, jobs, 4, options.port)
            row["jobs"] = max(count, row.get("jobs", 0))
            row["enqueue"] = max(rate, row.get("enqueue", 0))
            row["drain"][processes] = drain(command, setting, processes, count, 4, options)
        except Unable as error:
            row["refused"].append(f"{processes} processes: {error}")
    if not row["drain"]:
        raise Unable("could not be run: " + "; ".join(row["refused"]))
    row["best"] = max(row["drain"].values())


def measure_muster(options):
    """Its rates, and the server's words. It gets ten times the jobs, for with fewer it is done too soon to measure."""
    flush(options.port)
    jobs, others = options.jobs * 10, Others(options.port)
    command = [
        options.muster, "bench", "jobs", "--redis", f"redis://127.0.0.1:{options.port}", "--jobs", str(jobs),
        "--seconds", "0.5", "--json",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=150)
    if ran.returncode != 0:
        sys.exit("muster bench jobs failed: " + last_words(ran.stderr))
    report = json.loads(ran.stdout)
    figures = {figure["name"]: figure["value"] for figure in report["figures"]}
    return report["server"], {
        "jobs": jobs, "enqueue": figures[MUSTER_ENQUEUE], "drain": figures[MUSTER_DRAIN],
        "batches": figures[MUSTER_BATCHES], "others": others.share(),
    }


def muster_row(runs, options):
    version = subprocess.run([options.muster, "--version"], capture_output=True, text=True, timeout=20)
    slower = min(runs, key=lambda run: run["drain"])
    both = " and ".join(f"{run['drain']:.0f}" for run in runs)
    return {
        "name": "muster", "version": version.stdout.strip(), "jobs": slower["jobs"], "enqueue": slower["enqueue"],
        "drain": {1: slower["drain"]}, "best": slower["drain"], "runs": runs, "others": slower["others"],
        "crash": "run again",
        "how": f"a handler of single jobs, fenced completion; enqueued in batches of 100 from 4 callers; the slower of "
        f"two runs ({both}); a handler of batches drains {slower['batches']:.0f}",
    }


def table(server, busy, muster, peers):
    yield (
        f"redis-server {server['version']} on 127.0.0.1 · persistence: {server['persistence']} · "
        f"{server['cores']} cores, shared by server and clients · others took {busy:.0%} of them")
    yield "jobs that do nothing, per second: enqueued by one process; drained by one process, and by two"
    yield ""
    line = "{:9} {:>8} {:>10} {:>10} {:>10} {:>8} {:>7}  {}"
    rows = [muster] + sorted(peers, key=lambda row: -row.get("best", 0))
    yield line.format("queue", "version", "enqueue", "drain by 1", "drain by 2", "jobs", "others", "of a kill")
    for row in rows:
        if "why" in row:
            yield line.format(row["name"], row.get("version", "–"), "–", "–", "–", "–", "–", row["why"])
            continue
        drained = [f"{row['drain'][count]:.0f}" if count in row["drain"] else "–" for count in (1, 2)]
        yield line.format(
            row["name"], row["version"], f"{row['enqueue']:.0f}", *drained, row["jobs"], f"{row['others']:.0%}",
            row["crash"])
    yield ""
    yield "others: the part of the processors' time that neither the queue nor its server had"
    yield "of a kill: what becomes of the jobs that a worker was running when it was killed"
    yield "settings, the best of those tried:"
    for row in rows:
        if "why" not in row:
            notes = [row["how"].format(row.get("setting", ""))] + row.get("refused", [])
            yield f"  {row['name']:9} " + "; ".join(notes)
    yield ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--muster", required=True)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--only", required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # So that an interrupted run, too, ends the workers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    begun, others = time.monotonic(), Others(options.port)
    say("measuring muster")
    server, first = measure_muster(options)
    peers = []
    for name in options.only.split(","):
        say(f"measuring {name}")
        peers.append(measure_peer(name, options))
    say("measuring muster again")
    muster = muster_row([first, measure_muster(options)[1]], options)
    took, busy = time.monotonic() - begun, others.share()
    if busy > 0.1:
        say(f"others took {busy:.0%} of this machine: the figures are too low, and not all by as much")
    ran = [row for row in peers if "why" not in row]
    fastest = max(ran, key=lambda row: row["best"], default=None)
    times = muster["best"] / fastest["best"] if fastest else None
    if options.json:
        print(json.dumps({
            "server": server, "others": busy, "muster": muster, "peers": peers,
            "fastest": fastest and fastest["name"], "times": times, "target": TARGET,
            "met": times is not None and times >= TARGET, "seconds": round(took),
        }, indent=2))
        return
    print("\n".join(table(server, busy, muster, peers)))
    if fastest:
        verdict = "met" if times >= TARGET else "NOT MET"
        print(f"Muster drains {times:.1f} times the fastest of them ({fastest['name']}); target {TARGET}: {verdict}")
    else:
        print("no peer could be run")
    print(f"measured in {took:.0f} s")


main()
