"""The long forms: ``python -m tests.robustness kill | cuts | stall``."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.robustness.cuts import cut_connections
from tests.robustness.kill import kill_rounds
from tests.robustness.stalled import stall_one


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        if arguments.what == "kill":
            killed = asyncio.run(kill_rounds(home, arguments.rounds, arguments.seed, arguments.how))
            line, wrong = killed.line, killed.wrong
        elif arguments.what == "stall":
            crowd = asyncio.run(stall_one(home, arguments.how, seconds=arguments.seconds))
            line, wrong = crowd.line, crowd.defects
        else:
            cut = asyncio.run(cut_connections(home, arguments.cuts, arguments.seed))
            line, wrong = cut.line, cut.wrong
    print(line, *wrong[:50], sep="\n")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.robustness", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    kill = what.add_parser("kill", help="the server ends in mid-answer")
    kill.add_argument("--rounds", type=int, default=50)
    kill.add_argument("--how", choices=("kill", "terminate"), default="kill")
    cuts = what.add_parser("cuts", help="connections cut at random")
    cuts.add_argument("--cuts", type=int, default=1000)
    stall = what.add_parser("stall", help="100 subscribers, one of whom stops reading")
    stall.add_argument("--how", choices=("unread", "silent"), default="unread")
    stall.add_argument("--seconds", type=float, default=10.0)
    for each in (kill, cuts):
        each.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
