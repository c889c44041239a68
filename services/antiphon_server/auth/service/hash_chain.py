"""How events are tied to one another, so that none can be changed, left out or moved.

Each hash covers the event and the hash before it. What a signed tree head is in RFC 9162,
section 4.10, a signed last hash is here: one number that stands for the whole history. A
chain proves less quickly than a tree that one event is in it, but nobody asks that of a few
million events, and a chain is checked by reading it once.
"""

import hashlib

from antiphon_server.auth.model.audit import AuditFault, Found
from antiphon_server.auth.model.chain import NOTHING, Head


def chained(previous_hash: bytes, body: bytes) -> bytes:
    """The hash of an event behind ``previous_hash``, whose length is always 32 bytes."""
    return hashlib.sha256(previous_hash + body).digest()


class ChainCheck:
    """Follows a chain, event by event. ``head`` is how far it is proved to be whole.

    ``kept`` is a head that the chain must go through.
    """

    def __init__(self, start: Head = NOTHING, kept: Head | None = None) -> None:
        self.head = start
        self._kept = kept

    def follow(
        self, sequence: int, previous_hash: bytes, body: bytes, hashed: bytes
    ) -> Found | None:
        """Go on by one event; what is wrong with it, if anything."""
        fault = self._fault(sequence, previous_hash, body, hashed)
        if fault is not None:
            # An event whose number is known is missed where it should stand.
            missing = fault is AuditFault.MISSING
            return Found(fault, self.head.sequence + 1 if missing else sequence)
        self.head = Head(sequence, hashed)
        if self._kept and self._kept.sequence == sequence and self._kept.hash != hashed:
            return Found(AuditFault.OTHER_HISTORY, sequence)
        return None

    def end(self) -> Found | None:
        """What is wrong with the chain's ending here."""
        if self._kept and self._kept.sequence > self.head.sequence:
            return Found(AuditFault.CUT_OFF, self.head.sequence + 1)
        return None

    def _fault(
        self, sequence: int, previous_hash: bytes, body: bytes, hashed: bytes
    ) -> AuditFault | None:
        if sequence != self.head.sequence + 1:
            return AuditFault.MISSING
        if previous_hash != self.head.hash:
            return AuditFault.UNCHAINED
        if chained(previous_hash, body) != hashed:
            return AuditFault.CHANGED
        return None
