"""Reads and writes whiteboards: who may is asked before."""

import time
from collections.abc import Callable, Collection, Sequence

from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard import rules
from antiphon_server.memory.whiteboard.model import (
    Change,
    Place,
    RequestKey,
    Section,
    Whiteboard,
    Wish,
)
from antiphon_server.memory.whiteboard.ports import Conversations, WhiteboardStore
from antiphon_server.runtime.errors import DomainError, Reason

TRIES = 5
"""So often filters look anew at what is appended to what others have written meanwhile."""


class Whiteboards:
    """The whiteboards of all conversations."""

    def __init__(
        self,
        store: WhiteboardStore,
        conversations: Conversations,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._conversations, self._clock = store, conversations, clock

    async def get(self, conversation_id: ConversationId) -> Whiteboard:
        """What it says; an empty one of a conversation without any."""
        return await self._store.get(conversation_id, self._now_us())

    async def write(self, wish: Wish, request: RequestKey | None = None) -> Section:
        """Write a section.

        Raises DomainError NOT_FOUND, CONVERSATION_ARCHIVED, REQUEST_ID_REUSED, ETAG_MISMATCH,
        LIMIT_EXCEEDED, CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        if request is not None and (past := await self._store.answered(request)) is not None:
            return past
        place = await self._open(wish.conversation_id)
        for _ in range(TRIES):
            if (section := await self._written(place, wish, request)) is not None:
                return section
        raise DomainError(Reason.ETAG_MISMATCH, resource=f"section {wish.name}")

    async def delete(
        self, conversation_id: ConversationId, name: str, etag: str, writer: str
    ) -> None:
        """Take a section away.

        Raises DomainError NOT_FOUND, CONVERSATION_ARCHIVED, ETAG_MISMATCH.
        """
        await self._open(conversation_id)
        await self._store.change(
            conversation_id, lambda it: rules.deleted(it, name, etag, writer), self._now_us()
        )

    async def keep(self, conversation_id: ConversationId, wanted: bool, writer: str) -> Whiteboard:
        """Say whether it is kept. Raises DomainError NOT_FOUND, CONVERSATION_ARCHIVED."""
        await self._open(conversation_id)
        return await self._store.change(
            conversation_id, lambda it: rules.kept(it, wanted, writer), self._now_us()
        )

    async def versions(
        self, conversation_id: ConversationId, name: str, before: int, limit: int
    ) -> Sequence[Section]:
        """What sections were, the newest first; of one where it is named."""
        return await self._store.versions(conversation_id, name, before, limit, self._now_us())

    async def erase(
        self, conversation_id: ConversationId, turn_ids: Collection[str], actor: str
    ) -> None:
        """Return when nothing stands there, or in the history, that these turns have written.

        Files have it until they are scrubbed.
        """
        if writers := [f"turns/{it}" for it in turn_ids]:
            await self._store.erase(conversation_id, writers, actor, self._now_us())

    async def remove(self, conversation_id: ConversationId) -> None:
        """Return when nothing is left of it but in files; nothing is written there any more."""
        await self._store.remove(conversation_id, self._now_us())

    async def forget(self) -> None:
        """Remove what has expired."""
        await self._store.forget(self._now_us())

    async def _written(
        self, place: Place, wish: Wish, request: RequestKey | None
    ) -> Section | None:
        """The section as it is then; None if others have written what this appends to."""
        now_us = self._now_us()
        read = await self._store.get(wish.conversation_id, now_us)
        base = read.section(wish.name)
        text = rules.text_of(wish, base)
        looked_at = place.filtered and rules.written(read, wish, text) is not None
        if looked_at:
            text = await self._conversations.screened(place, wish, text)

        def decide(now: Whiteboard) -> Change | None:
            section = now.section(wish.name)
            change = rules.written(now, wish, text if looked_at else rules.text_of(wish, section))
            unseen = wish.appends and section != base if looked_at else change is not None
            if place.filtered and unseen:
                raise _Outdated
            return change

        try:
            after = await self._store.change(
                wish.conversation_id, decide, now_us, request, wish.name
            )
        except _Outdated:
            return None
        section = after.section(wish.name)
        if section is None and request is not None:  # another one of that request was faster
            return await self._store.answered(request)
        return section

    async def _open(self, conversation_id: ConversationId) -> Place:
        place = await self._conversations.place(conversation_id)
        if place.erased:
            raise DomainError(Reason.CONVERSATION_ERASED, conversation_id=conversation_id)
        if place.archived:
            raise DomainError(Reason.CONVERSATION_ARCHIVED, conversation_id=conversation_id)
        return place

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)


class _Outdated(Exception):
    """Somebody has written the section since it was read."""
