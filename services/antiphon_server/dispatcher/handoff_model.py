"""What the dispatcher knows of hand-offs: turns that wait for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

DAY_S = 86_400.0


class HandoffRole(OpenIntEnum):
    """The least that one has to be to take a hand-off. Values are those of the contract's Role."""

    MEMBER = 2
    ADMIN = 3


class HandoffEnd(OpenIntEnum):
    """What came of a hand-off. Values are those of the contract."""

    ANSWERED = 1
    RETURNED = 2
    DECLINED = 3
    EXPIRED = 4


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What becomes of it if no person goes on with it; nothing said: the turn fails."""

    text: str = ""
    handler: str = ""


@dataclass(frozen=True, slots=True)
class HandoffOrder:
    """What whoever hands something off says of it; ``asked_by`` is an actor, "" of the handler."""

    reason: str = ""
    role: HandoffRole = HandoffRole.MEMBER
    expire_s: float = DAY_S
    otherwise: Otherwise = Otherwise()
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class Handoff:
    """Something that waits for people. Times are microseconds since the epoch, UTC.

    ``held_for`` is the handler that what a filter holds was for, "" where none does.
    """

    handoff_id: str
    reason: str
    role: HandoffRole
    asked_by: str
    created_us: int
    expires_us: int
    otherwise: Otherwise = Otherwise()
    claimed_by: str = ""
    claimed_us: int = 0
    held_for: str = ""


@dataclass(frozen=True, slots=True)
class TurnHandedOff:
    """The turn waits for people from now on."""

    handoff: Handoff


@dataclass(frozen=True, slots=True)
class HandoffClaimChanged:
    """``claimed_by`` is at it from now on, or nobody; ``actor`` is who said so."""

    handoff_id: str
    claimed_by: str
    actor: str
    claimed_us: int = 0


@dataclass(frozen=True, slots=True)
class HandoffEnded:
    """It waits no more; ``actor`` is who ended it, "" if its time did.

    ``handler`` is who goes on with the turn; without one the turn ends. ``asked`` tells what was
    asked from anything else; it is b"" of no person, and of one that an older server ended.
    """

    handoff_id: str
    end: HandoffEnd
    actor: str = ""
    handler: str = ""
    note: str = ""
    asked: bytes = b""

    def is_again(self, wish: "HandoffEnded") -> bool:
        """Whether ``wish`` is what ended it, asked again."""
        same = (self.end, self.actor, self.handler) == (wish.end, wish.actor, wish.handler)
        return same and self.asked in (b"", wish.asked)


HandoffStep: TypeAlias = TurnHandedOff | HandoffClaimChanged | HandoffEnded


@dataclass(frozen=True, slots=True)
class PastHandoff:
    """What the log has of a turn's newest hand-off, the ``number``-th of the turn.

    ``said`` is what the turn is answered with by its end.
    """

    handoff: Handoff
    number: int = 1
    ended: HandoffEnded | None = None
    said: str = ""

    @property
    def open(self) -> bool:
        """Whether it waits for people still."""
        return self.ended is None

    @property
    def is_last(self) -> bool:
        """Whether the turn ends by its end."""
        return self.ended is not None and not self.ended.handler

    @property
    def goes_to(self) -> str:
        """Which handler goes on by its end; "" if none does."""
        return self.ended.handler if self.ended is not None else ""


@dataclass(frozen=True, slots=True)
class QueuedHandoff:
    """A turn that waits for people, as their queue has it.

    ``title`` and ``display_names``, by actor, are what its conversation and people were called
    when it was put there, and ``first_line`` is of the message, whose ``content`` is as
    Order.content, and known of one that is put alone.
    """

    handoff: Handoff
    workspace_id: str
    conversation_id: str
    turn_id: str
    message_id: str
    handler: str
    creator: str
    title: str = ""
    first_line: str = ""
    display_names: Mapping[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", compare=False, repr=False)


def handoff_id_of(turn_id: str, number: int) -> str:
    """The id of a turn's hand-off; the same on whichever server it is made."""
    return f"hand_{turn_id.removeprefix('turn_')}_{number}"


def turn_id_of(handoff_id: str) -> str:
    """The turn of a hand-off."""
    return "turn_" + handoff_id.removeprefix("hand_").rpartition("_")[0]
