"""The long form: ``uv run poe overspend --runs N``.

Prints what came of each run and their sum; the exit status is 1 if anything was overspent, or the
sums differ.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.fakes.postgres import Postgres
from tests.proofs.overspend.defects import LEDGERS
from tests.proofs.overspend.edges import Verdict
from tests.proofs.overspend.runs import on_postgres, on_sqlite

_COLUMNS = ("calls", "made", "refused", "limit", "spent", "reserved", "overspend", "edges")
KINDS = ("sqlite", "postgres")


def main() -> int:
    """Do the runs; 1 if a rule was broken."""
    arguments = _parser().parse_args()
    found = asyncio.run(_all(arguments))
    if arguments.json is not None:
        rows = [{"on": kind, **asdict(it)} for kind, each in found.items() for it in each]
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(it.overspend or it.wrong for each in found.values() for it in each))


async def _all(arguments: argparse.Namespace) -> dict[str, Sequence[Verdict]]:
    how = (arguments.runs, arguments.calls, arguments.ledger)
    found: dict[str, Sequence[Verdict]] = {}
    if "sqlite" in arguments.on:
        found["sqlite"] = await _printed("SQLite, one server", on_sqlite(*how))
    if "postgres" in arguments.on:
        postgres = Postgres()
        try:
            postgres.start()
            runs = on_postgres(postgres, *how)
            found["postgres"] = await _printed("Postgres, two servers", runs)
        finally:
            postgres.remove()
    return found


async def _printed(title: str, runs: AsyncIterator[Verdict]) -> list[Verdict]:
    print(f"{title}\n{'run':>4}", *(f"{it:>11}" for it in _COLUMNS))
    verdicts: list[Verdict] = []
    async for verdict in runs:
        verdicts.append(verdict)
        print(f"{len(verdicts):>4}", *_cells(asdict(verdict)), *verdict.wrong, flush=True)
    sums = {it: sum(getattr(verdict, it) for verdict in verdicts) for it in _COLUMNS}
    print(f"{'sum':>4}", *_cells(sums))
    return verdicts


def _cells(row: dict[str, Any]) -> list[str]:
    return [f"{row[it]:>11,}" for it in _COLUMNS]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uv run poe overspend", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--calls", type=int, default=1000, help="that race in each run")
    parser.add_argument("--on", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--ledger", choices=list(LEDGERS), default="sound", help="a planted defect")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
