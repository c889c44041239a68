"""``python -m tests.proofs.summaries --runs 20``: histories of that many seeds, a server each."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.proofs.summaries.histories import run, summarising


async def prove(runs: int, first: int) -> int:
    """Make them, and say what came of it; returns how many found something."""
    began, bad = time.monotonic(), 0
    for seed in range(first, first + runs):
        by_model = seed % 2 == 1
        with tempfile.TemporaryDirectory() as home:
            async with summarising(Path(home), by_model) as (server, endpoint):
                came = await run(server, endpoint, seed, by_model=by_model)
                wrong = [*came.wrong, *server.defects]
        bad += bool(wrong)
        told = f"{came.messages} messages, {came.summaries} summaries, {came.kills} kills"
        print(f"seed {seed}: {told}, {came.asked} calls of a model; {wrong or 'well'}", flush=True)
    took = time.monotonic() - began
    print(f"{runs} histories in {took:.0f} s; {bad} in which something was wrong")
    return bad


def main() -> None:
    """Read the arguments; exits with 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    raise SystemExit(min(1, asyncio.run(prove(asked.runs, asked.first))))


if __name__ == "__main__":
    main()
