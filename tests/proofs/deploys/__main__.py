"""The long form: ``python -m tests.proofs.deploys --versions 1000``.

Prints how long registrations took at first and at last, and when all but the newest were gone; the
exit status is 1 if some were left.
"""

import argparse
import asyncio
import base64
import os
import sys
import tempfile
from pathlib import Path

from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres
from tests.proofs.deploys.deploying import Deployed, deploy


def main() -> int:
    """Deploy on both databases; 1 if some were left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--gap", type=float, default=0.0, help="seconds between two")
    arguments = parser.parse_args()
    found = asyncio.run(_both(arguments.versions, arguments.gap))
    return int(any(len(it.left) != 1 for it in found))


async def _both(many: int, gap_s: float) -> list[Deployed]:
    postgres = Postgres()
    try:
        postgres.start()
        variables = {
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        }
        sqlite = await _printed("SQLite", {}, many, gap_s)
        return [sqlite, await _printed("Postgres", variables, many, gap_s)]
    finally:
        postgres.remove()


async def _printed(title: str, variables: dict[str, str], many: int, gap_s: float) -> Deployed:
    with tempfile.TemporaryDirectory() as folder:
        async with ServerProcess(Path(folder), variables=variables) as server:
            found = await deploy(server, many, gap_s)
    print(
        f"{title}: {many} versions; p50 of the first 50 {found.first_ms:.1f} ms, of the last 50"
        f" {found.last_ms:.1f} ms; {len(found.left)} left {found.gone_after_s:.0f} s later",
        flush=True,
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
