"""Ends of sessions in a store that fails over to one that lacks the newest."""

from antiphon_server.auth.model.endings import Ending
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.memory.auth.endings import MemoryEndings


class FailingOver(MemoryEndings):
    """``end`` and ``lose`` make its history; it can't be read while it is ``away``.

    ``asked`` counts how often somebody has asked for the newest place.
    """

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0

    def end(self, *session_ids: str, time: int = 0) -> None:
        """Note that these have ended."""
        for session_id in session_ids:
            self.count()
            self._noted.append(Ending(self._last, SessionId(session_id), time))

    def lose(self, many: int) -> None:
        """Go back to what it was before the last so many."""
        del self._noted[-many:]
        self._last -= many

    async def last(self) -> int:
        """See :meth:`EndingStore.last`. Raises DomainError STORE_UNAVAILABLE."""
        self.asked += 1
        if self.away:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().last()
