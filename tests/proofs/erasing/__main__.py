"""``python -m tests.proofs.erasing --runs 500``: histories of that many seeds, on one server."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.e2e.canaries import files_with, rows_with
from tests.e2e.server import ServerProcess
from tests.proofs.erasing.histories import PAUSE_S, RULES, Run, run

EACH = 25
"""It says after so many how far it is."""
WHAT = ("messages", "conversation", "workspace", "person")


async def prove(runs: int, first: int, what: str) -> int:
    """Make them, and say what came of it; returns how many found something."""
    began, bad, came = time.monotonic(), 0, list[Run]()
    with tempfile.TemporaryDirectory() as home:
        async with ServerProcess(Path(home), variables=RULES) as server:
            for seed in range(first, first + runs):
                which = WHAT[seed % len(WHAT)] if what == "each" else what
                came.append(await run(server, seed, which))
                if len(came) % EACH == 0:
                    print(f"{len(came)} of {runs}, {bad} in which something was left", flush=True)
                if came[-1].found:
                    bad += 1
                    print(f"seed {seed}: {came[-1].found}", flush=True)
            bad += await _came_back(server, came) + len(server.defects)
    took, killed = time.monotonic() - began, sum(it.killed for it in came)
    whole = ", ".join(f"{sum(it.what == each for it in came)} of {each}" for each in WHAT)
    print(
        f"{runs} histories ({whole}) in {took:.0f} s: {killed} servers killed,"
        f" {sum(it.answered for it in came)} of them right after the answer; in"
        f" {sum(it.remembered for it in came)} something was remembered;"
        f" {bad} in which something was left"
    )
    return bad


async def _came_back(server: ServerProcess, came: list[Run]) -> int:
    """How many words are there again, after rules have read what there is to read."""
    await asyncio.sleep(PAUSE_S)
    bad = 0
    for it in came:
        if it.erased and not it.found:
            folder = server.data_dir
            again = [*await rows_with(folder, it.word), *files_with(folder, it.word)]
            if again:
                bad += 1
                print(f"seed {it.seed}: it came back: {again}", flush=True)
    return bad


def main() -> None:
    """Read the arguments; exits with 1 if something was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--what", choices=("each", *WHAT), default="each", help="what is erased")
    asked = parser.parse_args()
    raise SystemExit(min(1, asyncio.run(prove(asked.runs, asked.first, asked.what))))


if __name__ == "__main__":
    main()
