"""The long form: ``python -m tests.proofs.anomalies``, on SQLite.

Prints how soon each way of misbehaving was flagged, and who else was; the exit status is 1 if that
was too late, or too many.
"""

import argparse
import asyncio
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from antiphon_server.anomalies.adapters.tables import flags
from tests.fakes.databases import IN_MEMORY, sqlite_in
from tests.proofs.anomalies.running import Came, came_of
from tests.proofs.anomalies.traffic import USERS, WAYS, Traffic


def main() -> int:
    """Try seeds; 1 if one was judged wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.anomalies", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="How many.")
    parser.add_argument("--first", type=int, default=0, help="From which on.")
    given = parser.parse_args()
    begin = time.monotonic()
    seeds = range(given.first, given.first + given.seeds)
    came = {seed: asyncio.run(_one(seed)) for seed in seeds}
    _tell(list(came.values()))
    wrong = [seed for seed, it in came.items() if not it.right]
    print(f"wrong seeds: {wrong}; {time.monotonic() - begin:.0f} s")
    return int(bool(wrong))


def _tell(came: Sequence[Came]) -> None:
    for way in WAYS:
        took = [it.took[way] for it in came if way in it.took]
        median = statistics.median(took) if took else math.inf
        longest = max(took, default=math.inf)
        print(f"{way}: {len(took)} of {len(came)}, median {median:.1f} s, at most {longest:.1f} s")
    others = [it for one in came for it in one.others]
    most, all_others = max(len(it.others) for it in came), (USERS - len(WAYS)) * len(came)
    print(f"others: {len(others)} of {all_others}, at most {most} a seed")
    print(*others[:20], sep="\n")


async def _one(seed: int) -> Came:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        async with sqlite_in(Path(folder) / "flags.db", flags.metadata) as database:
            return await came_of(database, Traffic(seed))


if __name__ == "__main__":
    sys.exit(main())
