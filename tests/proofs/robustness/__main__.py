"""The long forms of the proofs. Each prints its seed, which repeats it, and a summary.

``python -m tests.proofs.robustness`` and one of ``play NAME | soak | kills | cuts | drained |
mesh | rolling | crowd | fair | takeovers``; the exit status is 1 if any promise was broken; then
histories and servers' data are kept, and ``… judge FILE`` says once more what is wrong with them.
``… page FILE …`` writes what the runs' JSON says into docs/proof.md.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.proofs.bench.processes import ROOT
from tests.proofs.robustness.crowd import crowd_of
from tests.proofs.robustness.drained import drain_rounds
from tests.proofs.robustness.fair import KINDS, fair_of
from tests.proofs.robustness.mesh.deployment import APART, WAYS, WHOLE
from tests.proofs.robustness.mesh.promises import FAULTS, mesh_promises, mesh_rolling
from tests.proofs.robustness.page import merged, write
from tests.proofs.robustness.record import read, room
from tests.proofs.robustness.rows import cuts, kills
from tests.proofs.robustness.scenario import Outcome, play
from tests.proofs.robustness.scenarios import SCENARIOS
from tests.proofs.robustness.soak import soak
from tests.proofs.robustness.takeovers import takeovers_of
from tests.proofs.robustness.validators import violations

MOST_SHOWN = 50
SOAK = """Plays scenarios picked at random, 10 to 30 s each: people write and read while servers are
killed, wires cut, models broken and clocks moved; then judges every promise by what each of them
saw. Prints a line a round, a table, and whether all promises were kept; the exit status is 1 if
one was not. A round that has begun is played to its end. docs/proof.md says more."""
# What a run gives: its summary, what was wrong, its figures.
Result = tuple[str, Sequence[str], Any]


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    arguments = _parser().parse_args()
    if arguments.what == "page":
        write(merged(arguments.files), ROOT / "docs" / "proof.md")
        return 0
    if arguments.what == "judge":
        return _judge(arguments.file)
    with room() as place:
        line, wrong, figures = arguments.run(arguments, place.home)
        place.keep = bool(wrong)
    print(line, *wrong[:MOST_SHOWN], sep="\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if wrong else 0


def _judge(file: Path) -> int:
    histories = read(file)
    wrong = [f"{at}: {it}" for at, one in enumerate(histories) for it in violations(one)]
    print(f"{len(histories)} conversations, {len(wrong)} violations", *wrong, sep="\n")
    return 1 if wrong else 0


def _play(arguments: argparse.Namespace, home: Path) -> Result:
    scenario = SCENARIOS[arguments.name]
    outcome = asyncio.run(play(scenario, home, arguments.seed, arguments.seconds))
    return outcome.line, outcome.wrong, [outcome.as_json()]


def _mesh(arguments: argparse.Namespace, home: Path) -> Result:
    ways = [arguments.by] if arguments.by else WAYS
    came = asyncio.run(
        mesh_promises(home, ways, arguments.fault, arguments.seed, arguments.seconds)
    )
    return _together(came)


def _rolling(arguments: argparse.Namespace, home: Path) -> Result:
    split = APART if arguments.apart else WHOLE
    copies, seed, before = arguments.copies, arguments.seed, arguments.before
    return _together(asyncio.run(mesh_rolling(home, split, copies, seed, before)))


def _together(came: Sequence[Outcome]) -> Result:
    return (
        "\n".join(it.line for it in came),
        [f"{it.name}: {what}" for it in came for what in it.wrong],
        [it.as_json() for it in came],
    )


def _soak(arguments: argparse.Namespace, home: Path) -> Result:
    came = soak(arguments.minutes, int(arguments.seed))
    return (
        f"\n{came.table}\n\n{came.verdict}",
        came.wrong,
        [outcome.as_json() for outcome in came.outcomes.values()],
    )


def _kills(arguments: argparse.Namespace, home: Path) -> Result:
    outcome = asyncio.run(kills(home, arguments.cycles, arguments.seed))
    return outcome.line, outcome.wrong, [outcome.as_json()]


def _cuts(arguments: argparse.Namespace, home: Path) -> Result:
    outcome = asyncio.run(cuts(home, arguments.cuts, arguments.seed))
    return outcome.line, outcome.wrong, [outcome.as_json()]


def _drained(arguments: argparse.Namespace, home: Path) -> Result:
    came = asyncio.run(drain_rounds(home, arguments.rounds, arguments.seed))
    return came.line, came.wrong, [came.as_json()]


def _fair(arguments: argparse.Namespace, home: Path) -> Result:
    count, rounds, seconds = arguments.servers, arguments.rounds, arguments.seconds
    shares = json.loads(arguments.shares)
    came = asyncio.run(fair_of(home, arguments.kind, count, rounds, seconds, shares))
    return came.line, came.wrong, [came.as_json()]


def _takeovers(arguments: argparse.Namespace, home: Path) -> Result:
    came = asyncio.run(takeovers_of(home, arguments.seed, arguments.kills))
    return came.line, came.wrong, [came.as_json()]


def _crowd(arguments: argparse.Namespace, home: Path) -> Result:
    came = asyncio.run(crowd_of(home, arguments.readers, arguments.rounds, arguments.seconds))
    return came.line, came.wrong, [came.as_json()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.robustness", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)

    def command(name: str, run: Callable[..., Result], explained: str) -> argparse.ArgumentParser:
        made = what.add_parser(
            name,
            help=explained,
            description=f"{explained[0].upper()}{explained[1:]}.",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        made.set_defaults(run=run)
        made.add_argument("--seed", default="1", help="of all that is left to chance")
        made.add_argument("--json", type=Path, help="write the figures there")
        return made

    one = command("play", _play, "one scenario")
    one.add_argument("name", choices=list(SCENARIOS))
    one.add_argument("--seconds", type=float, default=20.0)
    judged = what.add_parser("judge", help="the histories that a broken run has left")
    judged.add_argument("file", type=Path, help="its history-SEED.jsonl")
    many = command("soak", _soak, "all scenarios, at random")
    many.prog = "poe soak"
    many.description = SOAK
    many.add_argument("--minutes", type=float, default=30.0, help="how long to begin new rounds")
    killed = command("kills", _kills, "kill -9 under 8 writers and 20 followers")
    killed.add_argument("--cycles", type=int, default=200)
    cut = command("cuts", _cuts, "connections cut at random")
    cut.add_argument("--cuts", type=int, default=10_000)
    drained = command("drained", _drained, "SIGTERM with 200 streams open")
    drained.add_argument("--rounds", type=int, default=5)
    mesh = command("mesh", _mesh, "2 servers behind Envoy, one killed every 10 s")
    mesh.add_argument("--by", choices=WAYS, help="one way in alone, not one after the other")
    mesh.add_argument("--fault", choices=list(FAULTS), default="kill")
    mesh.add_argument("--seconds", type=float, default=60.0, help="of each way in")
    rolling = command("rolling", _rolling, "every process restarted in its turn under load")
    rolling.add_argument("--apart", action="store_true", help="each service in its own process")
    rolling.add_argument("--copies", type=int, default=2, help="of each process")
    rolling.add_argument("--before", default="", help="the revision that runs until the restarts")
    crowd = command("crowd", _crowd, "500 readers, without and with 500 who do not read")
    crowd.add_argument("--readers", type=int, default=500)
    crowd.add_argument("--rounds", type=int, default=6)
    crowd.add_argument("--seconds", type=float, default=12.0)
    fair = command(
        "fair", _fair, "another's times, without and beside a user who takes all they get"
    )
    fair.add_argument("--kind", choices=KINDS, default="turns", help="what that one takes")
    fair.add_argument("--servers", type=int, choices=(1, 2), default=1)
    fair.add_argument("--rounds", type=int, default=5)
    fair.add_argument("--seconds", type=float, default=12.0)
    fair.add_argument("--shares", default="{}", help="ANTIPHON_SHARES of the servers")
    taken = command("takeovers", _takeovers, "one of two servers killed under an answer")
    taken.add_argument("--kills", type=int, default=20)
    page = what.add_parser("page", help="write docs/proof.md's figures from what runs wrote")
    page.add_argument("files", type=Path, nargs="+")
    return parser


if __name__ == "__main__":
    sys.exit(main())
