"""The long form: ``python -m tests.proofs.anomalies``, on SQLite.

Prints how soon each way of misbehaving was flagged, and who else was; the exit status is 1 if that
was too late, or too many.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from antiphon_server.anomalies.adapters.tables import flags
from tests.fakes.databases import IN_MEMORY, sqlite_in
from tests.proofs.anomalies.running import Came, came_of
from tests.proofs.anomalies.traffic import USERS, WAYS, Traffic


def main() -> int:
    """Try seeds; 1 if one was judged wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.anomalies", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    seeds = parser.parse_args().seeds
    begin = time.monotonic()
    came = [asyncio.run(_one(seed)) for seed in range(seeds)]
    wrong = [seed for seed, it in enumerate(came) if not it.right]
    for way in WAYS:
        took = [it.took[way] for it in came if way in it.took]
        median, longest = statistics.median(took), max(took)
        print(f"{way}: {len(took)} of {seeds}, median {median:.1f} s, at most {longest:.1f} s")
    others = [it for one in came for it in one.others]
    most, all_others = max(len(it.others) for it in came), (USERS - len(WAYS)) * seeds
    print(f"others: {len(others)} of {all_others}, at most {most} a seed")
    print(*others[:20], sep="\n")
    print(f"wrong seeds: {wrong}; {time.monotonic() - begin:.0f} s")
    return int(bool(wrong))


async def _one(seed: int) -> Came:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        async with sqlite_in(Path(folder) / "flags.db", flags.metadata) as database:
            return await came_of(database, Traffic(seed))


if __name__ == "__main__":
    sys.exit(main())
