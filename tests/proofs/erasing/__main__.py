"""``python -m tests.proofs.erasing --runs 500``: histories of that many seeds, on one server."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.e2e.server import ServerProcess
from tests.proofs.erasing.histories import run


async def prove(runs: int, first: int) -> int:
    """Make them, and say what came of it; returns how many found something."""
    began, killed, answered, bad = time.monotonic(), 0, 0, 0
    with tempfile.TemporaryDirectory() as home:
        async with ServerProcess(Path(home)) as server:
            for seed in range(first, first + runs):
                came = await run(server, seed)
                killed, answered = killed + came.killed, answered + came.answered
                if came.found:
                    bad += 1
                    print(f"seed {seed}: {came.found}", flush=True)
            bad += len(server.defects)
    took = time.monotonic() - began
    print(
        f"{runs} histories in {took:.0f} s: {killed} servers killed, {answered} of them right after"
        f" the answer; {bad} in which something was left"
    )
    return bad


def main() -> None:
    """Read the arguments; exits with 1 if something was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    raise SystemExit(min(1, asyncio.run(prove(asked.runs, asked.first))))


if __name__ == "__main__":
    main()
