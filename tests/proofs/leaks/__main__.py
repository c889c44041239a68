"""The long forms: ``python -m tests.proofs.leaks streams | turns | fresh | heartbeats``."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.proofs.leaks import runs

COUNTS = {"streams": 100_000, "turns": 100_000, "fresh": 10_000, "heartbeats": runs.HOURS}

REMEMBERS_LITTLE = ("--small",)
"""What a server remembers of conversations takes thousands of them until it is full."""


def main() -> int:
    """Run one, print its figures, and what was left behind; 1 if anything was."""
    arguments = _parser().parse_args()
    run = runs.Run(
        count=arguments.count or COUNTS[arguments.what],
        seed=arguments.seed,
        options=REMEMBERS_LITTLE if arguments.what == "fresh" else (),
        memray=arguments.memray,
    )
    work = {
        "streams": runs.streams,
        "turns": runs.turns,
        "fresh": runs.fresh,
        "heartbeats": runs.heartbeats,
    }
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(work[arguments.what](Path(directory), run))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures.as_json(), indent=1) + "\n")
    print(figures.line, *figures.wrong, sep="\n")
    return 1 if figures.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.leaks", description=__doc__)
    parser.add_argument("what", choices=COUNTS)
    parser.add_argument("--count", type=int, help="how many; of heartbeats, simulated hours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--memray", type=Path, help="record the server's memory in this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
