"""The long forms: ``python -m tests.proofs.workers runs --runs N --seed S``."""

import argparse
import logging
import sys
import time
from collections import Counter

import structlog

from tests.proofs.workers.runs import runs_of

MOST_SHOWN = 20


def main() -> int:
    """Do the runs; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.workers", description=__doc__)
    parser.add_argument("what", choices=["runs"])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, broken, counts, next_s = time.perf_counter(), 0, Counter[str](), []
    for seed, wrong, rig in runs_of(arguments.runs, arguments.seed, arguments.first):
        counts += rig.judge.counts
        next_s += rig.judge.next_s
        broken += bool(wrong)
        if wrong and broken <= MOST_SHOWN:
            print(seed, rig.kind, *wrong[:5], sep="\n  ", flush=True)
    took = time.perf_counter() - began
    print(f"{arguments.runs:,} runs, seed {arguments.seed}, {took:.0f} s: {broken} broken")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    next_s.sort()
    if next_s:
        print(f"death to next attempt: p50 {next_s[len(next_s) // 2]:.2f} s, most {next_s[-1]:.2f} s, n={len(next_s)}")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
