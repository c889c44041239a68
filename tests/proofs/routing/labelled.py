"""The labelled set: 300 messages for six experts in three languages, and 30 for none of them.

It was written before anything was measured by it, as people write: short and long, with slips,
many without a telling word, some on the border of two fields. Half of each field and language,
drawn by a seed, is what the experts declare as their examples; the other half is there to be
measured by alone.
"""

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.routing.model import Expert

NONE = "none"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message and the expert whose it is, or NONE."""

    expert: str
    language: str
    text: str


def messages(half: str) -> Sequence[Labelled]:
    """Those that are ``declared``, or those that are ``kept`` out."""
    with (_HERE / "messages.tsv").open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Labelled(row["expert"], row["language"], row["text"])
            for row in rows
            if row["half"] == half
        ]


def experts(declared: Sequence[Labelled]) -> Sequence[Expert]:
    """What they say of themselves, with those messages as examples."""
    with (_HERE / "experts.toml").open("rb") as file:
        described = tomllib.load(file)
    return [
        Expert(name, said, tuple(it.text for it in declared if it.expert == name))
        for name, said in described.items()
    ]
