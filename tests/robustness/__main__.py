"""The long forms of the proofs. Each prints its seed, which repeats it, and a summary.

``python -m tests.robustness play NAME | soak | kill | cuts | stall``; the exit status is 1
if any promise was broken.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.robustness.cuts import cut_connections
from tests.robustness.kill import kill_rounds
from tests.robustness.scenario import play
from tests.robustness.scenarios import SCENARIOS
from tests.robustness.soak import soak
from tests.robustness.stalled import stall_one

MOST_SHOWN = 50
# What a run gives: its summary, what was wrong, its figures.
Result = tuple[str, Sequence[str], Any]


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory() as directory:
        line, wrong, figures = arguments.run(arguments, Path(directory))
    print(line, *wrong[:MOST_SHOWN], sep="\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if wrong else 0


def _play(arguments: argparse.Namespace, home: Path) -> Result:
    scenario = SCENARIOS[arguments.name]
    outcome = asyncio.run(play(scenario, home, arguments.seed, arguments.seconds))
    return outcome.line, outcome.wrong, [outcome.as_json()]


def _soak(arguments: argparse.Namespace, home: Path) -> Result:
    came = soak(arguments.minutes, int(arguments.seed))
    return came.table, came.wrong, [outcome.as_json() for outcome in came.outcomes.values()]


def _kill(arguments: argparse.Namespace, home: Path) -> Result:
    killed = asyncio.run(kill_rounds(home, arguments.rounds, int(arguments.seed), arguments.how))
    return killed.line, killed.wrong, [{"name": arguments.how, "line": killed.line}]


def _stall(arguments: argparse.Namespace, home: Path) -> Result:
    crowd = asyncio.run(stall_one(home, arguments.how, seconds=arguments.seconds))
    return crowd.line, crowd.defects, [{"name": "stall", "line": crowd.line}]


def _cuts(arguments: argparse.Namespace, home: Path) -> Result:
    cut = asyncio.run(cut_connections(home, arguments.cuts, int(arguments.seed)))
    return cut.line, cut.wrong, [{"name": "cuts", "line": cut.line}]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.robustness", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures there")
    what = parser.add_subparsers(dest="what", required=True)

    def command(name: str, run: Callable[..., Result], explained: str) -> argparse.ArgumentParser:
        made = what.add_parser(name, help=explained)
        made.set_defaults(run=run)
        made.add_argument("--seed", default="1", help="of all that is left to chance")
        return made

    one = command("play", _play, "one scenario")
    one.add_argument("name", choices=list(SCENARIOS))
    one.add_argument("--seconds", type=float, default=20.0)
    many = command("soak", _soak, "all scenarios, at random")
    many.add_argument("--minutes", type=float, default=30.0)
    kill = command("kill", _kill, "the server ends in mid-answer")
    kill.add_argument("--rounds", type=int, default=50)
    kill.add_argument("--how", choices=("kill", "terminate"), default="kill")
    cuts = command("cuts", _cuts, "connections cut at random")
    cuts.add_argument("--cuts", type=int, default=1000)
    stall = command("stall", _stall, "100 subscribers, one of whom stops reading")
    stall.add_argument("--how", choices=("unread", "silent"), default="unread")
    stall.add_argument("--seconds", type=float, default=10.0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
