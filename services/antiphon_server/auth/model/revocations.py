"""Sessions and API keys that end together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antiphon_server.auth.model import KeyId, Session

Parents = Mapping[KeyId, KeyId | None]
"""Every API key of a user, and the one that it was made with."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The sessions and API keys of a user that were ended; ``keys_left`` remain valid."""

    sessions: Sequence[Session] = ()
    keys: Sequence[KeyId] = ()
    keys_left: int = 0


def descent(key_id: KeyId, parents: Parents) -> list[KeyId]:
    """The key and all that were made with it, or with those."""
    found = [key_id]
    for one in found:  # which grows meanwhile
        found += [child for child, parent in parents.items() if parent == one]
    return found


def others(key_id: KeyId | None, parents: Parents) -> list[KeyId]:
    """All keys but this one and those that it depends on."""
    kept = set(lineage(key_id, parents))
    return [one for one in parents if one not in kept]


def lineage(key_id: KeyId | None, parents: Parents) -> list[KeyId]:
    """The key behind those that it was made with, the first of all first."""
    found = list[KeyId]()
    while key_id is not None:
        found.append(key_id)
        key_id = parents.get(key_id)
    return found[::-1]
