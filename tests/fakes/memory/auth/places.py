"""Places in memory."""


class MemoryPlaces:
    """A :class:`~antiphon_server.auth.ports.places.PlaceStore` in memory."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, int]] = {}

    async def record(self, subject: str, address: str, now: int, most: int) -> bool:
        """See :meth:`PlaceStore.record`."""
        new = self.new(subject, address)
        seen = self._places.get(subject, {}) | {address: now}
        newest = sorted(seen, key=lambda one: (seen[one], one == address), reverse=True)
        self._places[subject] = {one: seen[one] for one in newest[:most]}
        return new

    def new(self, subject: str, address: str) -> bool:
        """Whether it has been elsewhere, and never there."""
        seen = self._places.get(subject, {})
        return bool(seen) and address not in seen

    async def knows(self, subject: str, address: str, since: int) -> bool:
        """See :meth:`PlaceStore.knows`."""
        return self._places.get(subject, {}).get(address, since) > since
