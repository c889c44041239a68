"""The long forms: ``python -m tests.robustness.disk order``."""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.robustness.disk.syncs import order_of_syncs


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory() as directory:
        came = asyncio.run(order_of_syncs(Path(directory), arguments.posts, arguments.turns))
    print(came.line, *came.wrong[:50], sep="\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(asdict(came), indent=2) + "\n")
    return 1 if came.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.robustness.disk", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    order = what.add_parser("order", help="nothing is said before it is durable")
    order.add_argument("--posts", type=int, default=4000)
    order.add_argument("--turns", type=int, default=500)
    for each in (order,):
        each.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
