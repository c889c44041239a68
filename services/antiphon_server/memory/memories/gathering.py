"""Gathers facts in the background: what people say of themselves in the conversations known here.

Of each conversation it goes on from where it was read to, whoever read it. Nothing waits for it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection

from antiphon_server.memory.memories.acquaintances import Acquaintances
from antiphon_server.memory.memories.claiming import Claim
from antiphon_server.memory.memories.finding import Finder
from antiphon_server.memory.model import ConversationId, SaidPage
from antiphon_server.memory.ports import Extractions, Logs
from antiphon_server.runtime.errors import DomainError, Reason

PAUSE_S = 5.0
_LOST = (Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED)
log = logging.getLogger(__name__)


class Gathering:
    """A task of each server; what two of them read at once is kept once.

    ``known`` says which conversations there are to read.
    """

    def __init__(
        self,
        logs: Logs,
        finder: Finder,
        store: Extractions,
        known: Callable[[], Collection[ConversationId]],
        pause_s: float = PAUSE_S,
        acquaintances: Acquaintances | None = None,
    ) -> None:
        """``acquaintances`` find the names in what is said; without them none are kept."""
        self._logs, self._finder, self._store = logs, finder, store
        self._known, self._pause_s, self._acquaintances = known, pause_s, acquaintances

    async def run(self) -> None:
        """Read on now and then, until cancelled."""
        while True:
            try:
                await self.gather()
            except DomainError as error:
                log.warning("facts are gathered later: %s", error)
            except Exception:
                log.exception("facts are gathered later")
            await asyncio.sleep(self._pause_s)

    async def gather(self) -> int:
        """Read all that is new in what is known; how many conversations had something.

        While the finder rests, nothing is claimed or read. Raises DomainError if a service or the
        store can't be used.
        """
        if self._finder.rests:
            return 0
        known = self._known()
        cursors = await self._store.cursors(known)
        new = [it for it in known if it not in cursors]
        moved = await self._logs.news(cursors) if cursors else ()
        # In no order, so that one that fails, and has all rest, is not the first again each time.
        for conversation_id in random.sample([*new, *moved], len(new) + len(moved)):
            if self._finder.rests:
                log.warning("what finds facts is left alone for a while")
                break
            if self._finder.rests_for(conversation_id):
                continue
            try:
                await self._read_alone(conversation_id, cursors.get(conversation_id, ""))
            except DomainError as error:  # the others can be read
                log.warning("facts of %s are gathered later: %s", conversation_id, error)
        return len(new) + len(moved)

    async def _read_alone(self, conversation_id: ConversationId, cursor: str) -> None:
        """Read on; where that costs money, unless another server does so now."""
        if not self._finder.costs:
            await self._read(conversation_id, cursor)
            return
        claim = Claim(self._store, conversation_id)
        if not await claim.take():
            return
        try:
            now = await self._store.cursors([conversation_id])  # others may have read on
            await self._read(conversation_id, now.get(conversation_id, ""), claim)
        finally:
            await claim.release()

    async def _read(
        self, conversation_id: ConversationId, cursor: str, claim: Claim | None = None
    ) -> None:
        """Read on to the end of the log, or until another server turns out to do so."""
        while True:
            try:
                page = await self._logs.read(conversation_id, cursor, self._finder.at_once)
            except DomainError as error:
                if error.reason not in _LOST:
                    raise
                await self._skip(conversation_id, cursor)
                return
            if not await self._kept(conversation_id, cursor, page):
                return
            cursor = page.cursor
            if page.at_head or (claim is not None and not await claim.renew()):
                return

    async def _kept(self, conversation_id: ConversationId, cursor: str, page: SaidPage) -> bool:
        """Keep what is found in a page; whether nobody else had."""
        if page.cursor == cursor:
            return False
        gone = frozenset(page.erased)
        said = [it for it in page.said if it.message_id not in gone]
        found = await self._finder.found(conversation_id, said)
        names = self._acquaintances
        named = await names.named(conversation_id, said, found) if names else ()
        now_us = time.time_ns() // 1000
        return await self._store.keep(
            conversation_id, cursor, page.cursor, found, now_us, named, page.erased
        )

    async def _skip(self, conversation_id: ConversationId, cursor: str) -> None:
        """Go on at the end: what was read before, and may be forgotten since, is not read again."""
        end = await self._logs.end(conversation_id)
        await self._store.keep(conversation_id, cursor, end.cursor, [], time.time_ns() // 1000)
