"""The long form: ``python -m tests.proofs.notifying``, on SQLite.

Prints what came of it, and what was wrong; the exit status is 1 if anything was.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from antiphon_server.notifying.adapters.tables import webhooks
from antiphon_server.notifying.telling import Telling
from tests.fakes.databases import IN_MEMORY, sqlite_in
from tests.proofs.notifying.clockwork import Noting
from tests.proofs.notifying.defective import ForgottenFirst, NotedAfter
from tests.proofs.notifying.running import Came, ends_of

MOST_SHOWN = 20


def main() -> int:
    """Let turns end; 1 if a rule was broken, or a planted defect was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.notifying", description=__doc__)
    parser.add_argument("--turns", type=int, default=5_000, help="how many end")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    logging.disable()  # deaths are loud
    came = asyncio.run(_came(arguments.turns, arguments.seed))
    print(came.line, *came.wrong[:MOST_SHOWN], sep="\n")
    return int(bool(came.wrong))


async def _came(turns: int, seed: str) -> Came:
    came = await _one(turns, seed)
    few = max(turns // 10, 200)
    for name, told, noted in (
        ("ForgottenFirst", ForgottenFirst, Noting),
        ("NotedAfter", Telling, NotedAfter),
    ):
        found = (await _one(few, seed, told, noted)).wrong
        print(f"{name}, planted: {len(found)} wrong")
        if not found:
            came.wrong.append(f"{name} was not found")
    return came


async def _one(
    turns: int, seed: str, telling: type[Telling] = Telling, noting: type[Noting] = Noting
) -> Came:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        async with sqlite_in(Path(folder) / "notes.db", webhooks.metadata) as database:
            return await ends_of(database, turns, seed, telling, noting)


if __name__ == "__main__":
    sys.exit(main())
