"""Retention: old events leave the logs once their messages are in the projection."""

from antiphon_server.context.model.messages import Offset
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import Clock, EventLog, Store
from antiphon_server.context.service.notices import KEPT_S
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.concurrency.tasks import every

EVERY_S = 3600.0
REQUESTS_KEPT_S = 25 * 3600
BATCH = 200


class Retention:
    """Trims logs up to the newest message that is older than ``keep_s``; None keeps all.

    Messages stay: ListMessages and GetContext still have them. Answers to old request
    ids, and notices that ended long ago, are dropped, too.
    """

    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        projection: Projection,
        clock: Clock,
        keep_s: float | None = None,
    ) -> None:
        self._store = store
        self._log = event_log
        self._projection = projection
        self._clock = clock
        self._keep_s = keep_s

    async def run(self) -> None:
        """Do it every hour, until cancelled."""
        await every(EVERY_S, self.once, at_once=False)

    async def once(self) -> int:
        """Trim what is old now; returns how many logs were trimmed.

        Raises DomainError if the store or the log can't be used.
        """
        await self._forget()
        if self._keep_s is None:
            return 0
        cutoff_us = int((self._clock() - self._keep_s) * 1e6)
        trimmed, after = 0, None
        while page := await self._ids(after):
            trimmed += await self._trim(page, cutoff_us)
            after = page[-1]
        return trimmed

    async def _ids(self, after: ConversationId | None) -> list[ConversationId]:
        return await self._store.read(lambda r: r.conversations.list_ids(after, BATCH))

    async def _trim(self, conversation_ids: list[ConversationId], cutoff_us: int) -> int:
        # A place below the newest projected message is below the projection's cursor.
        for conversation_id in conversation_ids:
            await self._projection.catch_up(conversation_id)
        newest = await self._store.read(
            lambda r: r.messages.newest_before(conversation_ids, cutoff_us)
        )
        for conversation_id, offset in newest.items():
            await self._log.trim(conversation_id, Offset(offset + 1))
        if newest:
            await self._store.write(lambda r: r.messages.set_trimmed(newest))
        return len(newest)

    async def _forget(self) -> None:
        before_us = int((self._clock() - REQUESTS_KEPT_S) * 1e6)
        await self._store.write(lambda r: r.requests.forget(before_us))
        ended_us = int((self._clock() - KEPT_S) * 1e6)
        await self._store.write(lambda r: r.notices.forget(ended_us))
