"""Which sessions are live, as far as this process knows."""

from collections import OrderedDict
from collections.abc import Callable

from antiphon_server.runtime.access.principal import SessionId

Listener = Callable[[SessionId], None]


class Liveness:
    """Caches which sessions live and which have ended; the oldest entries are dropped.

    An ended session stays ended: a store lookup that began before the end cannot revive it.
    Sessions that are not cached must be looked up in the store.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._states: OrderedDict[SessionId, bool] = OrderedDict()
        self._most = most
        self._listeners: list[Listener] = []

    def state(self, session_id: SessionId) -> bool | None:
        """True for live, False for ended, None for unknown."""
        return self._states.get(session_id)

    def lives(self, session_id: SessionId) -> bool:
        """Record the store's answer that a session lives; returns whether that still holds."""
        live = self._states.setdefault(session_id, True)
        self._trim()
        return live

    def ended(self, session_id: SessionId) -> None:
        """Record the end of a session, and call the listeners at once."""
        if self._states.get(session_id) is False:
            return
        self._states[session_id] = False
        self._states.move_to_end(session_id)
        self._trim()
        for listener in self._listeners:
            listener(session_id)

    def on_end(self, listener: Listener) -> None:
        """Call ``listener`` with each session that ends from now on."""
        self._listeners.append(listener)

    def _trim(self) -> None:
        while len(self._states) > self._most:
            self._states.popitem(last=False)
