"""The long form: ``uv run poe spending --runs N``.

Prints what was done, what came of it, and each run that broke a rule; the exit status is 1 if any
did.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections import Counter

import structlog

from tests.proofs.spending.defects import KINDS
from tests.proofs.spending.runs import runs_of

MOST_SHOWN = 20


def main() -> int:
    """Do the runs; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="uv run poe spending", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--kind", choices=list(KINDS), default="sound", help="a planted defect")
    arguments = parser.parse_args()
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(_all(arguments))


async def _all(arguments: argparse.Namespace) -> int:
    began, broken, counts = time.monotonic(), 0, Counter[str]()
    about = arguments.runs, arguments.seed, KINDS[arguments.kind], arguments.first
    async for seed, wrong, came in runs_of(*about):
        counts += came
        broken += bool(wrong)
        if wrong and broken <= MOST_SHOWN:
            print(seed, *wrong[:3], sep="\n  ", flush=True)
    took = time.monotonic() - began
    print(f"{arguments.runs:,} runs, seed {arguments.seed}, {took:.0f} s: {broken} broken")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
