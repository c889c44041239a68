"""Which sessions are live, as far as this process knows."""

from collections import OrderedDict
from collections.abc import Callable

from antiphon_server.runtime.access.principal import SessionId

Listener = Callable[[SessionId], None]


class Liveness:
    """Remembers which sessions live and which have ended; forgets the oldest.

    Once ended, a session stays so: a check of the store that began before the end
    can't bring it back. What is forgotten must be looked up in the store.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._states: OrderedDict[SessionId, bool] = OrderedDict()
        self._most = most
        self._listeners: list[Listener] = []

    def state(self, session_id: SessionId) -> bool | None:
        """True for live, False for ended, None for not known."""
        return self._states.get(session_id)

    def lives(self, session_id: SessionId) -> bool:
        """Note that the store says so; returns whether it is still true."""
        live = self._states.setdefault(session_id, True)
        self._trim()
        return live

    def ended(self, session_id: SessionId) -> None:
        """Note the end of a session and tell those who listen, at once."""
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
