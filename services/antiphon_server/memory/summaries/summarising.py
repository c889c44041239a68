"""Summarises long conversations in the background, of each from where its log was read to.

Only of those in which a turn had to leave messages out, and of those that were begun. Nothing waits
for it. Whatever stops it, what was begun is gone on with by whichever server comes next.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from antiphon_server.memory.model import ConversationId, MessageId, Said, SaidPage
from antiphon_server.memory.ports import Conversations, Logs
from antiphon_server.memory.summaries.blocks import cut
from antiphon_server.memory.summaries.making import Making
from antiphon_server.memory.summaries.model import IMPORT, Place, Posted
from antiphon_server.memory.summaries.ports import SummaryStore
from antiphon_server.memory.summaries.writing import Writing
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.errors import DomainError, Reason

PAUSE_S = 5.0
PACE_S = 0.01
"""Between two summaries: others have their turn."""
MAX_WANTED = 10_000
KNOWN_AT_ONCE = 500
"""Of all conversations that have summaries, so many are looked after a round."""
AT_ONCE = 64
CONVERSATIONS_AT_ONCE = 16
WRITTEN_AT_ONCE, WANTED_OF_MODEL = 4, 1_000
"""Of a model so many are asked a round, of the conversations that were active last."""
CHUNK = 1000
_LOST = (Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED)
log = logging.getLogger(__name__)


class Summarising:
    """A task of each server; what two of them do at once is kept once."""

    def __init__(
        self,
        logs: Logs,
        conversations: Conversations,
        store: SummaryStore,
        making: Making,
        writing: Writing | None = None,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._logs, self._conversations, self._store = logs, conversations, store
        self._making, self._writing, self._pause_s = making, writing, pause_s
        self._wanted = LruCache[ConversationId, bool](MAX_WANTED)
        self._after = ConversationId("")
        self._clock: Callable[[], float] = time.time

    def want(self, conversation_id: ConversationId) -> None:
        """Have that conversation summarised from now on."""
        self._wanted.put(conversation_id, True)

    async def run(self) -> None:
        """Do what there is to do, until cancelled."""
        while True:
            made = 0
            try:
                made = await self.round()
            except DomainError as error:
                log.warning("conversations are summarised later: %s", error)
            except Exception:
                log.exception("conversations are summarised later")
            await asyncio.sleep(PACE_S if made else self._pause_s)

    async def round(self) -> int:
        """Read what is new and make some of what is due; how many summaries were made.

        Raises DomainError if a service or the store can't be used.
        """
        await self._read_on()
        made = await self._make()
        if self._writing is not None and not made:
            wanted = [it for it, _ in self._wanted.items()][-WANTED_OF_MODEL:]
            for _ in range(WRITTEN_AT_ONCE):
                if not await self._writing.write(wanted):
                    break
                made += 1
        return made

    async def _read_on(self) -> None:
        wanted = [it for it, _ in self._wanted.items()]
        places = dict(await self._store.known(self._after, KNOWN_AT_ONCE))
        self._after = ConversationId(max(places) if len(places) == KNOWN_AT_ONCE else "")
        places |= await self._store.places(wanted)
        halves = {it for it, place in places.items() if place.is_begun}
        new = halves.union(it for it in wanted if it not in places)
        cursors = {it: place.cursor for it, place in places.items() if it not in halves}
        moved = await self._logs.news(cursors) if cursors else ()
        for conversation_id in [*new, *moved]:
            try:
                await self._read(conversation_id, places.get(conversation_id))
            except DomainError as error:  # the others can be read
                log.warning("%s is summarised later: %s", conversation_id, error)

    async def _read(self, conversation_id: ConversationId, place: Place | None) -> None:
        """Read on to the end of the log, or until another server turns out to do so."""
        if place is None or place.is_begun:
            place = await self._begun(conversation_id, place)
        while place is not None:
            try:
                page = await self._logs.read(conversation_id, place.cursor)
            except DomainError as error:
                if error.reason not in _LOST:
                    raise
                await self._store.drop(conversation_id, place.cursor)  # the next round begins anew
                return
            stands = page.cursor == place.cursor
            place = await self._kept(conversation_id, place, page)
            if page.at_head or stands:
                return

    async def _kept(
        self, conversation_id: ConversationId, place: Place, page: SaidPage
    ) -> Place | None:
        after, posted = cut(replace(place, cursor=page.cursor), map(_posted, page.said))
        before = place if place.cursor else None
        if after == place or not await self._store.keep(
            conversation_id, before, after, posted, page.undone, page.erased
        ):
            return None
        if page.erased:
            await self._making.forget()
            await self._store.scrub()
        return after

    async def _begun(self, conversation_id: ConversationId, place: Place | None) -> Place | None:
        """Where to read on: the beginning, or behind what the log has no more, which is read."""
        end = await self._logs.end(conversation_id)
        if place is None and end.whole:
            return Place()
        said = list(await self._conversations.said_in(conversation_id))
        cursor, said = _rest(said, place, end.cursor)
        for start in range(0, max(len(said), 1), CHUNK):
            some = said[start : start + CHUNK]
            is_last = start + CHUNK >= len(said)
            mark = cursor if is_last else f"{IMPORT} {cursor} {some[-1].message_id}"
            after, posted = cut(replace(place or Place(), cursor=mark), map(_posted, some))
            if not await self._store.keep(conversation_id, place, after, posted, (), ()):
                return None
            place = after
        return place

    async def _make(self) -> int:
        made = 0
        for conversation_id in await self._store.waiting(CONVERSATIONS_AT_ONCE):
            try:
                made += await self._make_of(conversation_id)
            except DomainError as error:
                log.warning("%s is summarised later: %s", conversation_id, error)
        if made:
            await self._making.forget()
        return made

    async def _make_of(self, conversation_id: ConversationId) -> int:
        made = 0
        for due in await self._store.due(conversation_id, AT_ONCE):
            made += await self._making.make(due, int(self._clock() * 1e6))
            await asyncio.sleep(PACE_S)
        return made

    async def forget(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        """Return when no summary has anything of these messages any more, which are erased.

        Files have it until they are scrubbed.
        """
        await self._store.forget(conversation_id, message_ids)
        await self._making.forget()


def _posted(said: Said) -> Posted:
    return Posted(said.message_id, said.turn_id, said.time_us, len(said.text))


def _rest(said: list[Said], place: Place | None, end: str) -> tuple[str, list[Said]]:
    """What an earlier server has not read of what the log has no more, and where that ends."""
    if place is None:
        return end, said
    _, cursor, last = place.cursor.split(" ")
    at = next((at for at, it in enumerate(said) if it.message_id == last), -1)
    return cursor, said[at + 1 :]
