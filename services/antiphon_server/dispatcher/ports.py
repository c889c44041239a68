"""What the dispatcher needs from outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from antiphon_server.dispatcher.handoff_model import Handoff, PastHandoff, QueuedHandoff
from antiphon_server.dispatcher.model import (
    ConversationId,
    ConversationView,
    Outcome,
    Past,
    Place,
    Posted,
    Step,
    StoredTurn,
    Tombstone,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.routed_model import Routed
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import Reason


class TurnStore(Protocol):
    """Keeps turns on disk."""

    async def add(self, turn: StoredTurn) -> StoredTurn:
        """Store ``turn`` unless one with its ids is there; returns the one that is."""
        ...

    async def get(self, conversation_id: ConversationId, turn_id: TurnId) -> StoredTurn | None:
        """Return the turn, None if there is none."""
        ...

    async def came(self, creator: str, turn_id: TurnId) -> bool:
        """Whether ``creator`` has a turn of that id, in any conversation."""
        ...

    async def erase(self, conversation_id: ConversationId, turn_ids: Collection[TurnId]) -> None:
        """Take away what was asked with turns that have ended, and what their errors quote.

        Returns when it is in no file any more, as :meth:`Database.scrub` says.
        """
        ...

    async def put(self, turn: StoredTurn) -> None:
        """Replace the stored turn, if its lease is still ``turn.node``'s.

        Raises DomainError FENCED if another node has it, if a later attempt was stored, or
        if it has ended and ``turn`` has not: so nobody uses an attempt's number who does not
        hold the turn.
        """
        ...

    async def list(
        self, conversation_id: ConversationId, before: tuple[int, str] | None, limit: int
    ) -> Sequence[StoredTurn]:
        """Return turns, the newest first, older than ``before`` = (created_us, turn id)."""
        ...

    async def claim(self, node: str, now_us: int, until_us: int, *, own: bool) -> Sequence[Turn]:
        """Take over what nobody works on, oldest first.

        Turns that have not ended and whose lease has run out (with ``own`` also those
        leased to ``node`` itself, before it was started again) are leased to ``node``
        until ``until_us``, and returned so.
        """
        ...

    async def renew(self, node: str, turn_ids: Collection[TurnId], until_us: int) -> set[TurnId]:
        """Extend leases that ``node`` still holds; returns those turns."""
        ...


class LaneOwners(Protocol):
    """Knows which server decides about a conversation's turns; one at a time does."""

    async def place(self, conversation_id: ConversationId) -> Place:
        """Return who has the lane; one that nobody has is this server's from now on.

        So are the turns that were left in it: it is its own only once they are claimed.
        Raises DomainError DRAINING if this server may not take any, STORE_UNAVAILABLE.
        """
        ...

    async def find(self, conversation_id: ConversationId) -> Place | None:
        """Return who has the lane, for somebody who only reads.

        None if nobody decides anything there: the store has it all. A lane is taken only if
        its server is gone and has left turns in it. Raises what :meth:`place` raises.
        """
        ...


@dataclass(frozen=True, slots=True)
class EndWritten:
    """What is known of a turn's last commit.

    ``folded``: its text deltas are folded by that. ``seen``: a stream of its creator's watched.
    """

    folded: bool
    seen: bool = False


class Journal(Protocol):
    """Writes a turn's steps into its conversation's log."""

    @property
    def waits_for(self) -> Collection[Reason]:
        """Absences that it has waited for itself before it raises them: nobody else does."""
        ...

    async def write(self, turn: Turn, steps: Sequence[Step], request_id: str = "") -> str:
        """Commit ``steps`` together; returns the cursor right before them.

        The turn's attempt keeps out writers of lower attempts (FENCED). A repeated
        ``request_id`` returns the first answer; with other steps REQUEST_ID_REUSED.
        """
        ...

    async def end(self, turn: Turn, steps: Sequence[Step]) -> EndWritten:
        """Commit the turn's last steps, once."""
        ...

    async def cancelled(self, turn: Tombstone) -> str:
        """Commit, once, that the turn ended before it came; returns the cursor before that."""
        ...

    async def fence(self, turn: Turn) -> None:
        """Keep out writers of lower attempts from now on; nothing is written."""
        ...

    async def answer(self, turn: Turn) -> str:
        """The answer's text of a turn that has ended."""
        ...

    async def past(self, turn: Turn, cursor: str) -> Past:
        """Read what the log has of the turn after ``cursor``."""
        ...

    async def fold(self, turn: Turn) -> None:
        """Fold the text deltas of a finished turn."""
        ...


class HandoffQueue(Protocol):
    """What waits for people, by workspace: a picture of the log for who looks for work."""

    async def put(self, queued: QueuedHandoff) -> None:
        """Show it so from now on. Raises DomainError STORE_UNAVAILABLE."""
        ...

    async def remove(self, turn: Turn) -> None:
        """Show nothing of the turn; one that has ended is not shown in any case."""
        ...

    async def list(
        self, workspace_id: str, after: tuple[int, str], limit: int
    ) -> Sequence[QueuedHandoff]:
        """What waits there, the oldest first, behind ``after`` = (created_us, handoff id)."""
        ...


class RoutesTurns(Protocol):
    """Finds handlers."""

    async def route(self, posted: Posted) -> Routed | None:
        """Who gets the message; None where no routes stand.

        Raises DomainError STORE_UNAVAILABLE.
        """
        ...


class HearsOfWaits(Protocol):
    """Is told when turns wait for people."""

    async def waits(self, turn: Turn, call_id: str, question_id: str = "") -> None:
        """A call waits for approval, or for an answer to its question, and the log has it.

        It may be said again when a turn is taken over. Raises nothing but cancellation.
        """
        ...

    async def handed_off(self, turn: Turn, handoff: Handoff) -> None:
        """It waits in the queue of people, and the log has it. As :meth:`waits`."""
        ...

    async def handoff_ended(self, turn: Turn, past: PastHandoff) -> None:
        """Its hand-off has ended, and the log has it. As :meth:`waits`."""
        ...


class TurnObserver(Protocol):
    """Is told of turns that have ended."""

    def observe(self, outcome: Outcome) -> None:
        """A turn ended so, and the log has it."""
        ...


Words: TypeAlias = Sequence[tuple[str, int]]
"""Words, each with how many bytes may be left of it; of one with 0 nothing can be cut out."""


class Conversations(Protocol):
    """Knows conversations."""

    async def get(self, conversation_id: ConversationId) -> ConversationView:
        """Return the conversation as it is now.

        Raises DomainError NOT_FOUND.
        """
        ...


@dataclass(frozen=True, slots=True)
class Left:
    """What filters leave of a message, and why a person has to look at it first, if one has to."""

    content: bytes
    held_for: str = ""


class FilteredConversations(Conversations, Protocol):
    """Asks the filters, too, that stand in front of them, and tells detectors who speaks."""

    async def heard(
        self, conversation_id: ConversationId, principal: Principal, content: bytes
    ) -> ConversationView:
        """As :meth:`get`, for a principal who is about to say something there.

        ``content`` is as Order.content.
        """
        ...

    async def screened(
        self,
        view: ConversationView,
        author: str,
        turn_id: TurnId,
        content: bytes,
        *,
        holds: bool = False,
    ) -> Left:
        """What filters leave of a message; ``content`` is as Order.content.

        ``holds``: it can wait for a person; else it is refused where one should look at it.
        Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        ...

    async def screened_words(
        self, view: ConversationView, author: str, turn_id: TurnId, words: Words
    ) -> Sequence[str]:
        """What filters leave of words. Raises as :meth:`screened`."""
        ...


class ChecksCreation(Protocol):
    """Knows who may make conversations, now."""

    async def check_create(self, principal: Principal, workspace_id: str) -> None:
        """Return if ``principal`` may make one in the workspace now.

        Raises as :meth:`Gatekeeper.check_write`.
        """
        ...


class Gatekeeper(Protocol):
    """Knows who may do what, now."""

    async def check_read(self, principal: Principal, scope: str) -> None:
        """Return if ``principal`` may read the scope now. Raises as :meth:`check_write`."""
        ...

    async def check_write(self, principal: Principal, conversation_id: ConversationId) -> None:
        """Return if ``principal`` may post to the conversation now.

        Raises DomainError NOT_FOUND, PERMISSION_DENIED, SCOPE_MISSING, TOKEN_EXPIRED,
        POLICY_UNAVAILABLE.
        """
        ...

    async def check_role(
        self, principal: Principal, conversation_id: str, *, admin: bool, reads: bool = False
    ) -> None:
        """Return if ``principal`` may answer for others there: a member, or ``admin`` at least.

        ``reads``: a credential that is limited to reading will do. Raises DomainError as
        :meth:`check_write`.
        """
        ...

    async def verify(self, access_token: str) -> Principal:
        """Return who the token speaks for.

        Raises DomainError TOKEN_INVALID, TOKEN_EXPIRED or SESSION_REVOKED.
        """
        ...
