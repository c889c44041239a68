"""What summaries need from outside, beside the logs and the conversations of memory's own ports.

All methods raise DomainError if a service or the store can't be used.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.summaries.model import (
    Due,
    Node,
    Place,
    Posted,
    Summary,
)


class SummaryStore(Protocol):
    """Summaries, the messages that they are of, and how far logs were read for them."""

    async def places(
        self, conversation_ids: Collection[ConversationId]
    ) -> Mapping[ConversationId, Place]:
        """Of those that were ever read."""
        ...

    async def known(self, after: ConversationId, limit: int) -> Mapping[ConversationId, Place]:
        """Those that were read, behind that one, by id."""
        ...

    async def keep(
        self,
        conversation_id: ConversationId,
        before: Place | None,
        after: Place,
        posted: Sequence[tuple[Posted, int]],
        undone: Collection[str],
        erased: Collection[MessageId],
    ) -> bool:
        """Go on from one place (None of one never read) to another, at once.

        Messages are kept with their blocks, but those that were erased since; of blocks that are
        complete now summaries are due, and of those that have an erased message, or one of an
        undone turn, they are due anew: nothing that they said is left. False if somebody has gone
        on from there; then nothing has changed.
        """
        ...

    async def drop(self, conversation_id: ConversationId, cursor: str) -> bool:
        """Forget all of a conversation that was read up to there; False if it was read on."""
        ...

    async def forget(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        """Have nothing left of what summaries say of these messages, which are erased."""
        ...

    async def scrub(self) -> None:
        """Return when what was forgotten is in the database's files no more, as far as can be."""
        ...

    async def waiting(self, limit: int) -> Sequence[ConversationId]:
        """Conversations of which summaries are due."""
        ...

    async def due(self, conversation_id: ConversationId, limit: int) -> Sequence[Due]:
        """The next that are to be made there, the lowest level first."""
        ...

    async def message_ids(self, conversation_id: ConversationId, block: int) -> list[MessageId]:
        """The messages of a block, in order, but those that are erased."""
        ...

    async def put(self, due: Due, summary: Summary) -> bool:
        """Keep what was made, unless what it is of has changed since."""
        ...

    async def claim(
        self, conversation_ids: Collection[ConversationId], now_us: int, until_us: int
    ) -> Due | None:
        """An extract that a model is to be asked about now, the newest of the lowest level first.

        Nobody else is given it before ``until_us``.
        """
        ...

    async def later(self, due: Due, until_us: int) -> None:
        """Have a model asked about it no sooner than that."""
        ...

    async def those(
        self, conversation_id: ConversationId, nodes: Collection[Node]
    ) -> Mapping[Node, Summary]:
        """Those that there are of these and that are not due."""
        ...

    async def listed(
        self, conversation_id: ConversationId, level: int | None, after: Node | None, limit: int
    ) -> Sequence[Summary]:
        """Those behind one, the lowest level first, but for those that are due."""
        ...

    async def pending(self, conversation_id: ConversationId) -> int:
        """How many are due there."""
        ...

    async def blocks_of(
        self,
        conversation_id: ConversationId,
        message_ids: Collection[MessageId],
        turn_ids: Collection[str],
    ) -> Collection[int]:
        """The blocks that have these messages, or any of these turns."""
        ...


class Rarities(Protocol):
    """Knows how rare words are."""

    async def rarities(
        self, conversation_id: ConversationId, terms: Collection[str]
    ) -> Mapping[str, float]:
        """How rare terms are in a conversation, as its search knows; none if it does not know."""
        ...
