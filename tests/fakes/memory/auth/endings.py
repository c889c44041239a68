"""The order of endings in memory."""

from collections.abc import Sequence

from antiphon_server.auth.model import Session
from antiphon_server.auth.model.endings import Ending


class MemoryEndings:
    """An :class:`~antiphon_server.auth.ports.endings.EndingStore` in memory."""

    def __init__(self) -> None:
        self._noted: list[Ending] = []
        self._last = 0

    def add(self, ended: Sequence[Session]) -> None:
        """Give the sessions' ends their places."""
        for session in ended:
            self.count()
            self._noted.append(Ending(self._last, session.session_id, session.end_time or 0))

    def count(self) -> None:
        """Take the next place."""
        self._last += 1

    async def last(self) -> int:
        """See :meth:`EndingStore.last`."""
        return self._last

    async def after(self, position: int, limit: int) -> list[Ending]:
        """See :meth:`EndingStore.after`."""
        return [one for one in self._noted if one.position > position][:limit]

    async def before(self, time: int) -> int:
        """See :meth:`EndingStore.before`."""
        since = (one.position for one in self._noted if one.end_time >= time)
        return min(since, default=self._last + 1) - 1
