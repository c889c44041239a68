"""The projection of messages in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from antiphon_server.context.model.messages import (
    Message,
    MessageId,
    MessageSize,
    Offset,
    Totals,
)
from antiphon_server.context.model.resources import ConversationId
from tests.fakes.memory.context.table import Journal, Table


@dataclass(frozen=True, slots=True)
class _Projection:
    """A conversation's messages, the oldest first."""

    cursor: str = ""
    trimmed: int = 0
    messages: tuple[Message, ...] = ()
    undone: frozenset[MessageId] = frozenset()


class MemoryMessages:
    """See :class:`~antiphon_server.context.ports.MessageRecords`."""

    def __init__(self, journal: Journal) -> None:
        self._table: Table[ConversationId, _Projection] = Table(journal)

    def cursor(self, conversation_id: ConversationId) -> str:
        """See :meth:`MessageRecords.cursor`."""
        return self._get(conversation_id).cursor

    def set_cursor(self, conversation_id: ConversationId, cursor: str) -> None:
        """See :meth:`MessageRecords.set_cursor`."""
        it = self._get(conversation_id)
        self._table.put(conversation_id, replace(it, cursor=cursor))

    def add(self, messages: Sequence[Message]) -> None:
        """See :meth:`MessageRecords.add`."""
        conversation_id = messages[0].conversation_id
        it = self._get(conversation_id)
        longer = (*it.messages, *messages)
        self._table.put(conversation_id, replace(it, messages=longer))

    def roll_back(self, conversation_id: ConversationId, turn_ids: Collection[str]) -> None:
        """See :meth:`MessageRecords.roll_back`."""
        it = self._get(conversation_id)
        undone = it.undone | {one.message_id for one in it.messages if one.turn_id in turn_ids}
        self._table.put(conversation_id, replace(it, undone=undone))

    def clear(self, conversation_id: ConversationId) -> None:
        """See :meth:`MessageRecords.clear`."""
        self._table.remove(conversation_id)

    def find(self, conversation_id: ConversationId, message_id: MessageId) -> Message | None:
        """See :meth:`MessageRecords.find`."""
        found = (it for it in self._get(conversation_id).messages if it.message_id == message_id)
        return next(found, None)

    def sizes(
        self,
        conversation_id: ConversationId,
        before: Offset | None,
        limit: int,
        *,
        rolled_back: bool,
    ) -> list[MessageSize]:
        """See :meth:`MessageRecords.sizes`."""
        newest_first = reversed(self._below(conversation_id, before, rolled_back=rolled_back))
        return [
            MessageSize(it.offset, it.content.tokens, len(it.content.encoded))
            for it in newest_first
        ][:limit]

    def between(
        self, conversation_id: ConversationId, first: Offset, last: Offset, *, rolled_back: bool
    ) -> list[Message]:
        """See :meth:`MessageRecords.between`."""
        found = self._below(conversation_id, Offset(last + 1), rolled_back=rolled_back)
        return [it for it in reversed(found) if it.offset >= first]

    def totals(self, conversation_id: ConversationId, before: Offset | None) -> Totals:
        """See :meth:`MessageRecords.totals`."""
        return _sum(self._below(conversation_id, before, rolled_back=True))

    def rolled_back(self, conversation_id: ConversationId, before: Offset | None) -> Totals:
        """See :meth:`MessageRecords.rolled_back`."""
        undone = self._get(conversation_id).undone
        below = self._below(conversation_id, before, rolled_back=True)
        return _sum([it for it in below if it.message_id in undone])

    def newest_before(
        self, conversation_ids: Collection[ConversationId], create_us: int
    ) -> dict[ConversationId, Offset]:
        """See :meth:`MessageRecords.newest_before`."""
        newest = {}
        for conversation_id in conversation_ids:
            it = self._get(conversation_id)
            old = [one.offset for one in it.messages if one.create_us < create_us]
            if old and old[-1] > it.trimmed:
                newest[conversation_id] = old[-1]
        return newest

    def set_trimmed(self, offsets: dict[ConversationId, Offset]) -> None:
        """See :meth:`MessageRecords.set_trimmed`."""
        for conversation_id, offset in offsets.items():
            it = self._get(conversation_id)
            self._table.put(conversation_id, replace(it, trimmed=offset))

    def _get(self, conversation_id: ConversationId) -> _Projection:
        return self._table.get(conversation_id) or _Projection()

    def _below(
        self, conversation_id: ConversationId, before: Offset | None, *, rolled_back: bool
    ) -> list[Message]:
        it = self._get(conversation_id)
        return [
            one
            for one in it.messages
            if (before is None or one.offset < before)
            and (rolled_back or one.message_id not in it.undone)
        ]


def _sum(messages: Sequence[Message]) -> Totals:
    return Totals(len(messages), sum(it.content.tokens for it in messages))
