"""What other services read of many conversations at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from antiphon_server.context.model.listed import Order, Shelf
from antiphon_server.context.model.messages import Message, MessageId
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.context.ports import Records, Store
from antiphon_server.context.service.conversations import ListWish, listed_for
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId

MAX_BYTES = 3 << 20
"""An answer stays below what a port takes, 4 MiB."""


class Readable(NamedTuple):
    """Conversations that a user may read, as a guest of some; of ``more`` it was not asked for."""

    conversation_ids: Sequence[ConversationId]
    as_guest: Sequence[ConversationId]
    more: bool


class Those(NamedTuple):
    """Messages in the order that was asked for; ``outside`` the context are some of them."""

    messages: Sequence[Message]
    outside: Collection[MessageId]
    titles: Mapping[ConversationId, str]


class Reading:
    """Reads for services, which have asked before whether their callers may.

    Everything raises DomainError if the store or the log can't be used.
    """

    def __init__(self, store: Store, projection: Projection) -> None:
        self._store = store
        self._projection = projection

    async def readable(
        self,
        user_id: UserId,
        workspace_id: WorkspaceId,
        among: Collection[ConversationId],
        limit: int,
    ) -> Readable:
        """What the user may read, those first that were active last; ``among`` empty means all."""
        wish = ListWish(workspace_id, Shelf.ALL, Order.LAST_ACTIVITY)
        reader = Principal("user", user_id, SessionId(""))

        def work(records: Records) -> Readable:
            those = listed_for(records, reader, wish)
            if among:
                found = records.conversations.readable(those, among)
            else:
                titles = records.conversations.titles(those, None, limit + 1)
                found = [ConversationId(place.item_id) for place, _ in titles]
            as_guest = set(records.members.guest_in(user_id)).intersection(found)
            return Readable(found[:limit], sorted(as_guest), len(found) > limit)

        return await self._store.read(work)

    async def messages(self, names: Sequence[tuple[ConversationId, MessageId]]) -> Those:
        """The messages that there are of these, and titles by conversation.

        At most 3 MiB of them. What stands in the log alone is brought into the projection first.
        """
        those = await self._store.read(lambda r: _those(r, names))
        there = {it.message_id for it in those.messages}
        for conversation_id in {where for where, it in names if it not in there}:
            await self._projection.catch_up(conversation_id)
        if len(there) < len(names):
            those = await self._store.read(lambda r: _those(r, names))
        return those


def _those(records: Records, names: Sequence[tuple[ConversationId, MessageId]]) -> Those:
    found = records.messages.those(names, MAX_BYTES)
    by_id = {it.message_id: it for it, _ in found}
    there = sorted({it.conversation_id for it in by_id.values()})
    titles = {it.conversation_id: it.title for it in records.conversations.those(there)}
    outside = {it.message_id for it, in_context in found if not in_context}
    return Those([by_id[it] for _, it in names if it in by_id], outside, titles)
