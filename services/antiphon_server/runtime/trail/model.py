"""That somebody changed what calls may reach, or what they are signed with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One that waits to be told: ``body`` is how, ``entry_id`` makes telling it idempotent."""

    entry_id: str
    body: bytes
