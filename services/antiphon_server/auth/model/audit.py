"""What is said of a chain of security events as a whole."""

from dataclasses import dataclass
from enum import IntEnum

from antiphon_server.auth.model.chain import Head


class AuditFault(IntEnum):
    """What is wrong with a chain: the contract's enum of the same name, without its first value."""

    CHANGED = 1
    MISSING = 2
    UNCHAINED = 3
    CUT_OFF = 4
    OTHER_HISTORY = 5
    SIGNATURE_INVALID = 6
    FORGED = 7


@dataclass(frozen=True, slots=True)
class Found:
    """A fault, and the sequence of the first event that has it."""

    fault: AuditFault
    sequence: int


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head and the proof of who said so, a JWS; the time is in microseconds."""

    head: Head
    create_time: int
    signature: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out of reading a whole chain: what is wrong, if anything, and where it ends."""

    found: Found | None
    verified: int
    head: Head
