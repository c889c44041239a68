"""Histories as a file of lines, and the room in which a broken one is kept.

Each line of such a file is one thing that somebody sent, saw or was told, or one that
is stored; lines with a time are in its order. ``python -m tests.proofs.robustness judge FILE`` says
what is wrong with one.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from tests.proofs.robustness.history import History

Line = dict[str, Any]


@dataclass(slots=True)
class Room:
    """Where a server lives; what is there stays if it is to be kept, as it is by default."""

    home: Path
    keep: bool = True


@contextmanager
def room() -> Iterator[Room]:
    """A directory for the block's time, and longer if something went wrong."""
    it = Room(Path(tempfile.mkdtemp(prefix="robustness-")))
    try:
        yield it
    finally:
        if it.keep:
            print(f"kept in {it.home}")
        else:
            shutil.rmtree(it.home, ignore_errors=True)


def write(path: Path, histories: Sequence[History]) -> None:
    """Write histories down."""
    lines = [line for number, it in enumerate(histories) for line in _lines(number, it)]
    lines.sort(key=_at)
    with path.open("w") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def read(path: Path) -> list[History]:
    """Histories as they were written down."""
    found: dict[int, Line] = {}
    with path.open() as file:
        for line in map(json.loads, file):
            if "history" in line:
                found[line["conversation"]] = line["history"]
            elif "reader" in line:
                found[line["conversation"]]["readers"][line["reader"]]["seen"].append(line["seen"])
            else:
                (field,) = line.keys() - {"conversation"}
                found[line["conversation"]][field].append(line[field])
    return [msgspec.convert(found[number], History) for number in sorted(found)]


def _lines(number: int, history: History) -> Iterator[Line]:
    whole = asdict(history)
    for at, reader in enumerate(whole["readers"]):
        for seen in reader["seen"]:
            yield {"conversation": number, "reader": at, "seen": seen}
        reader["seen"] = []
    for field in fields(history):
        if field.name != "readers" and isinstance(whole[field.name], list):
            for value in whole[field.name]:
                yield {"conversation": number, field.name: value}
            whole[field.name] = []
    yield {"conversation": number, "history": whole}


def _at(line: Line) -> float:
    """When it happened; before all times for the head, after them for what is stored."""
    if "history" in line:
        return -math.inf
    (value,) = (value for name, value in line.items() if name not in ("conversation", "reader"))
    if not isinstance(value, Mapping):
        return math.inf
    times = (value.get(name) for name in ("at", "received", "asked"))
    known = [*(it for it in times if isinstance(it, float)), *value.get("tries", ())]
    return float(known[0]) if known else math.inf
