"""Detectors with a defect each, which the proof must find."""

from collections.abc import Sequence

from antiphon_server.anomalies.detecting import Memories
from antiphon_server.anomalies.memories import Memory
from antiphon_server.anomalies.model import Key


def exact(texts: Sequence[str]) -> int:
    """A fingerprint to which numbers are a difference: who changes one repeats nothing."""
    return hash(tuple(texts)) & 0xFFFF_FFFF_FFFF_FFFF or 1


class Forgetful(Memories):
    """Remembers too few: whoever is seen again has been forgotten."""

    def __init__(self) -> None:
        super().__init__(most=5)


class Mingled(Memories):
    """Takes all for one."""

    def of(self, key: Key, kind: type[Memory]) -> Memory:
        """The same for everybody."""
        return super().of(Key(key.parent, key.detector, "everybody"), kind)
