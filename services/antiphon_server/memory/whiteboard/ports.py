"""What whiteboards need from outside. All methods raise DomainError if it can't be used."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeAlias

from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard.model import (
    Change,
    Place,
    RequestKey,
    Section,
    Whiteboard,
    Wish,
)

Decide: TypeAlias = Callable[[Whiteboard], Change | None]
"""What becomes of a whiteboard as it is; None for nothing. Raises DomainError."""


class WhiteboardStore(Protocol):
    """Keeps whiteboards, and what their sections were."""

    async def get(self, conversation_id: ConversationId, now_us: int) -> Whiteboard:
        """What it says; an empty one where nothing is, or what was has expired."""
        ...

    async def change(
        self,
        conversation_id: ConversationId,
        decide: Decide,
        now_us: int,
        request: RequestKey | None = None,
        name: str = "",
    ) -> Whiteboard:
        """Do what is decided on what stands there then, and tell the conversation's log.

        A request is known then, also where nothing changes: by the section of that ``name``. The
        history's oldest versions go where there are too many. Returns what it says then.
        Raises what ``decide`` raises, and CONVERSATION_ERASED, or NOT_FOUND of a turn that is.
        """
        ...

    async def answered(self, request: RequestKey) -> Section | None:
        """What that request has written, without its text if the history has it no more.

        Raises DomainError REQUEST_ID_REUSED if it said something else.
        """
        ...

    async def versions(
        self, conversation_id: ConversationId, name: str, before: int, limit: int, now_us: int
    ) -> Sequence[Section]:
        """What sections were, the newest first: those before a version, 0 for all of them."""
        ...

    async def erase(
        self, conversation_id: ConversationId, writers: Collection[str], actor: str, now_us: int
    ) -> bool:
        """Take away what these have written, also where others have left it standing.

        They write nothing any more. What stands there changes in the name of ``actor``, and the log
        is told; the history keeps nothing of it. Says whether there was anything.
        """
        ...

    async def remove(self, conversation_id: ConversationId, now_us: int) -> None:
        """Take all of it away, with its history and what requests are answered with, for good."""
        ...

    async def forget(self, now_us: int) -> None:
        """Remove what has expired, and requests that were made more than a day ago."""
        ...


class Conversations(Protocol):
    """Conversations, as their owner knows them."""

    async def place(self, conversation_id: ConversationId) -> Place:
        """Where it is. Raises DomainError NOT_FOUND."""
        ...

    async def screened(self, place: Place, wish: Wish, text: str) -> str:
        """What filters leave of a text. Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE."""
        ...
