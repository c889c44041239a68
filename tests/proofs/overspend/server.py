"""A server of several on one Postgres: ``python -m tests.proofs.overspend.server``.

Each line of its input is told twice: ``ready RUN`` has it read the budgets, and is answered with
``ready``; ``go RUN CALLS`` has it make the calls, and is answered with what was served, as JSON.
"""

import argparse
import asyncio
import json
import sys

from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.proofs.overspend.defects import LEDGERS
from tests.proofs.overspend.racing import Racing


def main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("owner")
    parser.add_argument("--ledger", choices=list(LEDGERS), default="sound")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(arguments: argparse.Namespace) -> None:
    database = PostgresDatabase(arguments.url)
    racing = Racing(database, arguments.owner, arguments.ledger)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(await _answer(racing, *line.split()), flush=True)
    await racing.close()
    await database.close()


async def _answer(racing: Racing, what: str, run: str, calls: str = "0") -> str:
    if what == "ready":
        await racing.budgets.refresh()
        return "ready"
    return json.dumps((await racing.race(run, int(calls))).as_json())


if __name__ == "__main__":
    main()
