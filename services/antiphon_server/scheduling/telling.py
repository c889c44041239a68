"""What tells people of due times that came to nothing, where they look who wonder."""

from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.scheduling.model import Untold
from antiphon_server.scheduling.ports import Announces, ScheduleStore

LOOK_S = 1.0
BATCH = 100
FOR_GOOD = frozenset({Reason.INVALID_ARGUMENT, Reason.NOT_FOUND, Reason.REQUEST_ID_REUSED})
"""Refusals that stay the same however often it is said."""

log = structlog.get_logger(__name__)


class Telling:
    """Tells of what is stored and stands in no log yet, so that no crash in between hides it."""

    def __init__(self, store: ScheduleStore, announcer: Announces) -> None:
        self._store, self._announcer = store, announcer

    async def run(self) -> None:
        """Look regularly, until cancelled."""
        await every(LOOK_S, self.look, at_once=False)

    async def look(self) -> None:
        """Tell of all that there is now. Raises DomainError; the rest is for the next look then."""
        while batch := await self._store.untold(BATCH):
            for it in batch:
                await self._tell(it)

    async def _tell(self, it: Untold) -> None:
        try:
            await self._announcer.announce(it)
        except DomainError as error:
            if error.reason not in FOR_GOOD:
                raise
            where = {"schedule_id": it.schedule_id, "turns_of": it.conversation_id}
            log.error("the log refuses what became of a due time", why=error.reason, **where)
        await self._store.told(it)
