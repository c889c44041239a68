"""The long forms: ``python -m tests.proofs.wire fuzz | siege``."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.proofs.wire.floods import ATTACKS
from tests.proofs.wire.front import FRONTS
from tests.proofs.wire.fuzz import Campaign, Report
from tests.proofs.wire.inputs import Input
from tests.proofs.wire.siege import Siege, lay_siege, summary
from tests.proofs.wire.targets import in_process, over_sockets

CORPUS = Path(__file__).parent / "corpus"
WHERE = {"sockets": over_sockets, "process": in_process}
SHOWN = 50


async def fuzz(where: str, inputs: int, seed: int, log: Path | None = None) -> Report:
    """Run a campaign on a new server, whose log is copied to ``log``."""
    with tempfile.TemporaryDirectory() as home:
        async with WHERE[where](Path(home)) as target:
            report = await Campaign(target, seed, where).run(inputs)
        written = Path(home) / "server.log"
        if log is not None and written.exists():
            shutil.copy(written, log)
    return report


def main() -> int:
    """Run one, print its figures, and what was wrong; 1 if anything was."""
    arguments = _parser().parse_args()
    return besiege(arguments) if arguments.what == "siege" else fuzz_for(arguments)


def besiege(arguments: argparse.Namespace) -> int:
    """Run attacks, one after the other, each on a new server."""
    began = time.monotonic()
    sieges = []
    for attack in arguments.attack or ATTACKS:
        with tempfile.TemporaryDirectory() as home:
            sieges.append(asyncio.run(_siege(Path(home), attack, arguments)))
        print(sieges[-1].line, *sieges[-1].wrong, sep="\n", flush=True)
    _write(arguments.json, [siege.figures() for siege in sieges])
    print(summary(sieges, began))
    return int(any(siege.wrong for siege in sieges))


def _siege(home: Path, attack: str, arguments: argparse.Namespace) -> Coroutine[Any, Any, Siege]:
    return lay_siege(home, attack, arguments.seconds, FRONTS[arguments.before])


def fuzz_for(arguments: argparse.Namespace) -> int:
    """Run a campaign; 1 if it found anything."""
    report = asyncio.run(fuzz(arguments.where, arguments.inputs, arguments.seed, arguments.log))
    if arguments.keep:
        keep(arguments.keep, [trial for trial, _ in report.problems])
    _write(arguments.json, report.figures())
    print(report.line, *report.wrong[:SHOWN], sep="\n")
    return 1 if report.wrong else 0


def keep(directory: Path, trials: Sequence[Input]) -> None:
    """Save inputs, each in a file of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    for at, trial in enumerate(trials):
        name = f"{trial.path.rpartition('/')[2]}-{at:03}.json"
        (directory / name).write_text(json.dumps(msgspec.to_builtins(trial), indent=1) + "\n")


def _write(path: Path | None, figures: Any) -> None:
    if path is not None:
        path.write_text(json.dumps(figures, indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.wire", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    fuzzing = what.add_parser("fuzz", help="spoiled requests to every RPC")
    fuzzing.add_argument("--inputs", type=int, default=100_000)
    fuzzing.add_argument("--seed", type=int, default=1)
    fuzzing.add_argument("--where", choices=tuple(WHERE), default="sockets")
    fuzzing.add_argument("--json", type=Path)
    fuzzing.add_argument("--log", type=Path, help="where the server's log is copied to")
    fuzzing.add_argument("--keep", type=Path, help="directory for inputs that found something")
    siege = what.add_parser("siege", help="attacks on the port, beside a good client")
    siege.add_argument("attack", nargs="*", help=", ".join(ATTACKS))
    siege.add_argument("--seconds", type=float, default=8.0)
    siege.add_argument("--before", choices=tuple(FRONTS), default="nothing", help="the server")
    siege.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
