"""What filters say, through the room that context has of them."""

from collections.abc import Sequence

from antiphon_server.anomalies.model import Sign, Signal
from antiphon_server.context.watching_room import Found, TellsFound

_REFUSED = 2
_MOST = 2000
_LATE_US = 5_000_000
"""So much later than its time one may be stored, or clocks differ."""


class RoomVerdicts:
    """See :class:`~antiphon_server.anomalies.ports.Happens`: a place is a time."""

    def __init__(self, filters: TellsFound) -> None:
        self._filters = filters
        self._known: frozenset[str] = frozenset()

    async def newer(self, than: str, since: float) -> tuple[str, Sequence[Signal]]:
        """See :meth:`Happens.newer`."""
        place_us = int(than) if than else int(since * 1e6)
        found = await self._filters.found_since(place_us - (_LATE_US if than else 0), _MOST)
        new = [it for it in reversed(found) if it.screening_id not in self._known]
        self._known = frozenset(it.screening_id for it in found)
        place_us = max((it.created_us for it in found), default=place_us)
        return str(place_us), list(map(_signal, new))


def _signal(it: Found) -> Signal:
    return Signal(
        Sign.SCREENED,
        it.created_us / 1e6,
        user=it.author,
        conversation=it.conversation_id,
        workspace=it.workspace_id,
        amount=_REFUSED if it.refused else 1,
    )
