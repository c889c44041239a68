"""The long forms: ``python -m tests.proofs.trees trees | stops``.

Each prints what came of it, and each broken tree with its seed; the exit status is 1 if any was.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.proofs.robustness.record import room
from tests.proofs.trees.forest import trees_of
from tests.proofs.trees.stops import WITHIN_S, stops_of
from tests.proofs.workers.processes import Came

MOST_SHOWN = 20
COUNTS = {"trees": 60, "stops": 30}


def main() -> int:
    """Grow them; 1 if a rule was broken, or a stop took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.trees", description=__doc__)
    parser.add_argument("what", choices=list(COUNTS))
    parser.add_argument("--trees", type=int, help="how many, for `trees` two at a time")
    parser.add_argument("--first", type=int, default=0, help="the number of the first pair")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    count = arguments.trees or COUNTS[arguments.what]
    with room() as place:
        came = asyncio.run(_came(arguments, place.home, count))
        place.keep = bool(came.wrong)
    print(came.line, *came.wrong[:MOST_SHOWN], sep="\n")
    return int(bool(came.wrong))


async def _came(arguments: argparse.Namespace, home: Path, count: int) -> Came:
    if arguments.what == "trees":
        return await trees_of(home, -(-count // 2), arguments.seed, arguments.first)
    came = await stops_of(home, count)
    late = sorted(it for it in came.next_s if it > WITHIN_S)
    came.wrong += [f"a stop took {it * 1000:.0f} ms" for it in late]
    return came


if __name__ == "__main__":
    sys.exit(main())
