"""Keeps the messages' table up with the log, which is the truth about them."""

import asyncio
import logging
from dataclasses import dataclass
from weakref import WeakValueDictionary

from antiphon_server.context.model.messages import LogPage, Message, TurnRolledBack, WordsErased
from antiphon_server.context.model.resources import ConversationId, ResourceId
from antiphon_server.context.ports import EventLog, Records, Store
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason

MAX_KNOWN = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """The stored cursor, and the one up to which the log has no more than what is stored."""

    stored: str
    seen: str


class Projection:
    """Catches up conversation by conversation; one at a time each."""

    def __init__(self, store: Store, event_log: EventLog, max_known: int = MAX_KNOWN) -> None:
        self._store = store
        self._log = event_log
        self._locks: WeakValueDictionary[ConversationId, asyncio.Lock] = WeakValueDictionary()
        self._known = LruCache[ConversationId, _Known](max_known)

    async def catch_up(self, conversation_id: ConversationId) -> str:
        """Project everything that the log had when this was called; returns the cursor after it.

        Raises DomainError if the log or the store can't be used.
        """
        lock = self._locks.setdefault(conversation_id, asyncio.Lock())
        async with lock:
            known = self._known.pop(conversation_id) or await self._load(conversation_id)
            at_head = False
            while not at_head:
                known, at_head = await self._step(conversation_id, known)
            self._known.put(conversation_id, known)
            return known.seen

    async def _step(self, conversation_id: ConversationId, known: _Known) -> tuple[_Known, bool]:
        try:
            page = await self._log.read(conversation_id, known.seen)
        except DomainError as error:
            return await self._begin_again(conversation_id, known, error), False
        if not page.items:
            at_head = page.at_head or page.cursor == known.seen
            return _Known(known.stored, page.cursor), at_head
        if await self._store.write(lambda r: _project(r, conversation_id, known.stored, page)):
            return _Known(page.cursor, page.cursor), page.at_head
        return await self._load(conversation_id), False  # another process was faster

    async def _load(self, conversation_id: ConversationId) -> _Known:
        cursor = await self._store.read(
            lambda r: r.messages.cursor(conversation_id), snapshot=False
        )
        return _Known(cursor, cursor)

    async def _begin_again(
        self, conversation_id: ConversationId, known: _Known, error: DomainError
    ) -> _Known:
        """Where to go on when the log no longer has the place that the projection is at."""
        if error.reason is Reason.CURSOR_TRIMMED:
            log.warning("%s was trimmed beyond its projection", conversation_id)
            return _Known(known.stored, error.metadata["earliest_cursor"])
        if error.reason is Reason.EPOCH_CHANGED:
            log.warning("the log of %s was rebuilt; so are its messages", conversation_id)
            await self._store.write(lambda r: r.messages.clear(conversation_id))
            return _Known("", error.metadata["earliest_cursor"])
        raise error


def _project(
    records: Records, conversation_id: ConversationId, expected: str, page: LogPage
) -> bool:
    """Store what the page says, if the projection still is where the page begins."""
    records.members.lock(ResourceId(conversation_id))
    if records.messages.cursor(conversation_id) != expected:
        return False
    said = [item for item in page.items if isinstance(item, Message)]
    undone = {item.turn_id for item in page.items if isinstance(item, TurnRolledBack)}
    if said:
        records.messages.add(said)
    if undone:
        records.messages.roll_back(conversation_id, undone)
    erased = [it for item in page.items if isinstance(item, WordsErased) for it in item.message_ids]
    if erased:
        records.messages.erase(conversation_id, erased)
    records.messages.set_cursor(conversation_id, page.cursor)
    return True
