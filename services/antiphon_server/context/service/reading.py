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
MAX_WORKSPACES = 1000
"""So many in use, and so many archived, the newest of each."""


MAX_READABLE = 20_000
"""Conversations of an answer."""


class Readable(NamedTuple):
    """Conversations that a user may read, as a guest of some; of ``more`` it was not asked for.

    ``workspace_ids`` are the workspaces that they may read.
    """

    conversation_ids: Sequence[ConversationId]
    as_guest: Sequence[ConversationId]
    more: bool
    workspace_ids: Sequence[WorkspaceId] = ()


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
            workspaces = _workspaces_of(records, user_id, workspace_id)
            return Readable(found[:limit], sorted(as_guest), len(found) > limit, workspaces)

        return await self._store.read(work)

    async def messages(
        self, names: Sequence[tuple[ConversationId, MessageId]], *, in_context: bool = False
    ) -> tuple[Sequence[Message], Mapping[ConversationId, str]]:
        """The messages that there are of these, in that order, and titles by conversation.

        At most 3 MiB of them. What stands in the log alone is brought into the projection first.
        With ``in_context`` those that prompts may hold alone, as the log says it now.
        """
        if in_context:  # what was rolled back since looks as before until the projection knows
            await self._catch_up({where for where, _ in names})
        found, titles = await self._store.read(lambda r: _those(r, names, in_context))
        missing = {where for where, it in names if it not in found}
        if missing and not in_context:
            await self._catch_up(missing)
            found, titles = await self._store.read(lambda r: _those(r, names, in_context))
        return [found[it] for _, it in names if it in found], titles

    async def _catch_up(self, conversation_ids: Collection[ConversationId]) -> None:
        for conversation_id in conversation_ids:
            await self._projection.catch_up(conversation_id)


def _workspaces_of(
    records: Records, user_id: UserId, workspace_id: WorkspaceId
) -> Sequence[WorkspaceId]:
    found = [
        it.workspace_id
        for archived in (False, True)
        for it in records.workspaces.list_of(user_id, None, MAX_WORKSPACES, archived=archived)
    ]
    return [it for it in found if workspace_id in ("", it)]


def _those(
    records: Records, names: Sequence[tuple[ConversationId, MessageId]], in_context: bool
) -> tuple[dict[MessageId, Message], dict[ConversationId, str]]:
    messages = records.messages.those(names, MAX_BYTES, rolled_back=not in_context)
    there = sorted({it.conversation_id for it in messages})
    titles = {it.conversation_id: it.title for it in records.conversations.those(there)}
    return {it.message_id: it for it in messages}, titles
