"""Counters of guesses in memory."""


class MemoryAttempts:
    """An :class:`~antiphon_server.auth.ports.AttemptStore` in memory."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        """See :meth:`AttemptStore.count`."""
        guesses, end = self._windows.get(key, (0, now))
        if end <= now:
            guesses, end = 0, now + window
            self._windows = {name: it for name, it in self._windows.items() if it[1] > now}
        self._windows[key] = guesses + 1, min(end, now + window)
        return self._windows[key]

    async def uncount(self, key: str) -> None:
        """See :meth:`AttemptStore.uncount`."""
        if key in self._windows:
            guesses, end = self._windows[key]
            self._windows[key] = max(guesses - 1, 0), end

    async def reset(self, key: str) -> None:
        """See :meth:`AttemptStore.reset`."""
        self._windows.pop(key, None)
