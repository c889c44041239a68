"""The long forms: ``python -m tests.proofs.weather outage | recovery | bystanders | cost``.

Each prints what came of it; the exit status is 1 if any promise was broken.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.proofs.robustness.record import room
from tests.proofs.weather.bystanders import bystanders_of
from tests.proofs.weather.cost import cost_of
from tests.proofs.weather.outage import outages_of
from tests.proofs.weather.recovery import recovery_of

MOST_SHOWN = 50
LONG: dict[str, tuple[Any, int]] = {
    "outage": (outages_of, 200),
    "recovery": (recovery_of, 1000),
    "bystanders": (bystanders_of, 5),
    "cost": (cost_of, 100_000),
}


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.weather", description=__doc__)
    parser.add_argument("what", choices=list(LONG))
    parser.add_argument("--count", type=int, help="how many, if not as many as the long form has")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    run, count = LONG[arguments.what]
    with room() as place:
        came = asyncio.run(run(place.home, arguments.count or count))
        place.keep = bool(came.wrong)
    print(came.line, *came.wrong[:MOST_SHOWN], sep="\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([came.as_json()], indent=2) + "\n")
    return 1 if came.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
