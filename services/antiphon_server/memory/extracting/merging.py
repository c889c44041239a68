"""Whether one fact says again what another one says, or takes its place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from antiphon_server.memory.extracting.model import Candidate, Hold, Kind


class Relation(Enum):
    """What a fact that was said later is to an earlier one."""

    NONE = "none"
    SAME = "same"
    REPLACES = "replaces"


def relation(later: Candidate, earlier: Candidate) -> Relation:
    """Of two facts: a restatement, a contradiction, or neither.

    What is over or denied ends only what said that very thing; what holds replaces whatever else
    was said to hold of its topic, and what denied it.
    """
    if (later.subject, later.topic) != (earlier.subject, earlier.topic):
        return Relation.NONE
    if later.key == earlier.key:
        return Relation.SAME
    if later.kind is Kind.EVENT and 0 < earlier.valid_until_us <= later.said_us:
        return Relation.NONE  # that has been, whatever comes
    same_value = later.value == earlier.value
    if later.hold is Hold.HOLDS:
        replaces = earlier.hold is Hold.HOLDS or (same_value and earlier.hold is Hold.NOT)
    else:
        replaces = earlier.hold is Hold.HOLDS and (same_value or not later.value)
    return Relation.REPLACES if replaces else Relation.NONE


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a fact among those known: it is ``same`` as one, or ``replaces`` some."""

    same: Candidate | None
    replaces: Sequence[Candidate]


def settled(later: Candidate, known: Iterable[Candidate]) -> Settled:
    """Compare a fact with those that hold now; ``known`` may be limited to its subject."""
    replaced = []
    for earlier in known:
        found = relation(later, earlier)
        if found is Relation.SAME:
            return Settled(earlier, ())
        if found is Relation.REPLACES:
            replaced.append(earlier)
    return Settled(None, replaced)
