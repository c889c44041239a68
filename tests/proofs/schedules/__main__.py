"""The long form: ``python -m tests.proofs.schedules``, on SQLite.

Prints what came of it, and what was wrong; the exit status is 1 if anything was.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.firing import Firing
from tests.fakes.databases import IN_MEMORY, sqlite_in
from tests.proofs.schedules.defective import NotedBefore, RandomIds
from tests.proofs.schedules.running import Came, due_times_of

MOST_SHOWN = 20


def main() -> int:
    """Let them become due; 1 if a rule was broken, or a planted defect was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.schedules", description=__doc__)
    parser.add_argument("--due", type=int, default=10_000, help="how many due times")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    came = asyncio.run(_came(arguments.due, arguments.seed))
    print(came.line, *came.wrong[:MOST_SHOWN], sep="\n")
    return int(bool(came.wrong))


async def _came(due: int, seed: str) -> Came:
    came = await _one(due, seed)
    for defect in (RandomIds, NotedBefore):
        found = (await _one(max(due // 10, 1), seed, defect)).wrong
        print(f"{defect.__name__}, planted: {len(found)} wrong")
        if not found:
            came.wrong.append(f"{defect.__name__} was not found")
    return came


async def _one(due: int, seed: str, made: type[Firing] = Firing) -> Came:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        async with sqlite_in(Path(folder) / "schedules.db", schedules.metadata) as database:
            return await due_times_of(database, due, seed, made)


if __name__ == "__main__":
    sys.exit(main())
