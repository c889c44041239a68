"""The long forms: ``python -m tests.proofs.robustness.disk order | faults | full``."""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from tests.proofs.robustness.disk.faults import Faults, disk_faults
from tests.proofs.robustness.disk.full import full_disk
from tests.proofs.robustness.disk.syncs import Syncs, order_of_syncs


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory() as directory:
        came = asyncio.run(_run(Path(directory), arguments))
    print(came.line, *came.wrong[:50], sep="\n")
    if arguments.json is not None:  # asdict would count what a Counter has counted
        figures = {field.name: getattr(came, field.name) for field in fields(came)}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if came.wrong else 0


async def _run(home: Path, arguments: argparse.Namespace) -> Syncs | Faults:
    if arguments.what == "order":
        return await order_of_syncs(home, arguments.posts, arguments.turns)
    if arguments.what == "faults":
        return await disk_faults(home, arguments.rounds, arguments.seed)
    return await full_disk(home, arguments.how, arguments.seed, seconds=arguments.seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.robustness.disk", description=__doc__
    )
    what = parser.add_subparsers(dest="what", required=True)
    order = what.add_parser("order", help="nothing is said before it is durable")
    order.add_argument("--posts", type=int, default=4000)
    order.add_argument("--turns", type=int, default=500)
    faults = what.add_parser(
        "faults", help="calls of the kernel that fail; each third round a kill"
    )
    faults.add_argument("--rounds", type=int, default=50)
    full = what.add_parser("full", help="a disk that is full, until there is room")
    full.add_argument("--how", choices=("tmpfs", "limit"), default="limit")
    full.add_argument("--seconds", type=float, default=5.0)
    for each in (faults, full):
        each.add_argument("--seed", type=int, default=1)
    for each in (order, faults, full):
        each.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
