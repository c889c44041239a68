"""The long form: ``python -m tests.proofs.properties [MACHINE ...] [--examples N] [--seed S]``."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.proofs.properties.ledger_machine import LedgerMachine
from tests.proofs.properties.log_machine import LogMachine
from tests.proofs.properties.machine import Machine, chosen
from tests.proofs.properties.refresh_machine import RefreshMachine
from tests.proofs.properties.requests_machine import machine_on
from tests.proofs.properties.turn_machine import TurnMachine

STEPS = 40
STARTS = 50
"""How many times fewer examples a machine gets that starts processes."""
KINDS: dict[str, type[Machine]] = {
    "log": LogMachine,
    "turns": TurnMachine,
    "refresh": RefreshMachine,
    "refresh on disk": type("RefreshOnDisk", (RefreshMachine,), {"on_disk": True}),
    "ledger": LedgerMachine,
}
REQUESTS = "requests"
_LINE = "{what}: {examples} sequences, {steps} calls, {seconds:.0f} s, seed {seed}: all kept"


def main() -> int:
    """Run machines, print what each did; an exception says how to see it again."""
    arguments = _parser().parse_args()
    figures = []
    for name in arguments.machines or [*KINDS, REQUESTS]:
        with _machine(name) as kind:
            examples = arguments.examples // (STARTS if name == REQUESTS else 1)
            figures.append(_run(name, kind, max(examples, 1), arguments.seed))
        print(_LINE.format(**figures[-1]), flush=True)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


@contextmanager
def _machine(name: str) -> Iterator[type[Machine]]:
    if name != REQUESTS:
        yield KINDS[name]
        return
    with (
        tempfile.TemporaryDirectory() as home,
        machine_on(Path(home), "tests.proofs.robustness.odd_server") as machine,
    ):
        yield machine


def _run(name: str, machine: type[Machine], examples: int, seed: int) -> dict[str, Any]:
    began, machine.steps = time.monotonic(), 0
    run_state_machine_as_test(seeded(seed)(machine), settings=chosen(examples, STEPS, fixed=False))
    seconds = time.monotonic() - began
    return {
        "what": name,
        "examples": examples,
        "steps": machine.steps,
        "seconds": round(seconds, 1),
        "seed": seed,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.properties", description=__doc__)
    parser.add_argument(
        "machines", nargs="*", metavar="MACHINE", help=", ".join([*KINDS, REQUESTS])
    )
    parser.add_argument("--examples", type=int, default=1000, help="sequences of calls a machine")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
