"""The long forms: ``python -m tests.proofs.workers runs | processes | rolling``.

Each prints what came of it, and each broken run with its seed; the exit status is 1 if any was.
"""

import argparse
import asyncio
import hashlib
import logging
import math
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import structlog

from tests.proofs.robustness.record import room
from tests.proofs.workers.processes import processes_of
from tests.proofs.workers.rolling import rolling_of
from tests.proofs.workers.runs import runs_of

MOST_SHOWN = 20
COUNTS = {"runs": 1000, "processes": 60, "rolling": 200}


def main() -> int:
    """Do the runs; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.workers", description=__doc__)
    parser.add_argument("what", choices=list(COUNTS))
    parser.add_argument("--runs", type=int, help="how many, or for `rolling` how many turns")
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no run after that")
    arguments = parser.parse_args()
    count = arguments.runs or COUNTS[arguments.what]
    if arguments.what == "runs":
        return _in_one_process(count, arguments.seed, arguments.first, arguments.seconds)
    with room() as place:
        came = asyncio.run(_as_processes(arguments.what, place.home, count, arguments.seed))
        place.keep = bool(came.wrong)
    print(came.line, *came.wrong[:MOST_SHOWN], sep="\n")
    return int(bool(came.wrong))


async def _as_processes(what: str, home: Path, count: int, seed: str) -> Any:
    if what == "rolling":
        return await rolling_of(home, count)
    return await processes_of(home, count, seed)


def _in_one_process(count: int, seed: str, first: int, seconds: float) -> int:
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, done, broken = time.perf_counter(), 0, 0
    counts, next_s = Counter[str](), list[float]()
    rested_s, held_up_s = list[float](), list[float]()
    traces = hashlib.sha256()
    for own, wrong, rig in runs_of(count, seed, first):
        counts += rig.judge.counts
        next_s += rig.judge.next_s
        rested_s += rig.judge.rested_s
        held_up_s += rig.judge.held_up_s
        traces.update(rig.judge.trace.encode())
        broken += bool(wrong)
        done += 1
        if wrong and broken <= MOST_SHOWN:
            print(own, rig.kind, *wrong[:5], sep="\n  ", flush=True)
        if time.perf_counter() - began > seconds:
            break
    print(f"{done:,} runs, seed {seed}, {time.perf_counter() - began:.0f} s: {broken} broken")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    _print_times("death to next attempt", next_s)
    _print_times("the same of turns that waited for answers, from the last one", rested_s)
    _print_times("the same where a server stood still or was cut off meanwhile", held_up_s)
    print(f"trace {traces.hexdigest()}")
    return int(broken > 0)


def _print_times(what: str, times_s: list[float]) -> None:
    if not times_s:
        return
    known = sorted(times_s)
    p50, p99 = known[len(known) // 2], known[int(len(known) * 0.99)]
    print(f"{what}: p50 {p50:.2f} s, p99 {p99:.2f} s, most {known[-1]:.2f} s ({len(known)})")


if __name__ == "__main__":
    sys.exit(main())
