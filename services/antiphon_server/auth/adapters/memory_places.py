"""Places in memory."""


class MemoryPlaces:
    """A :class:`~antiphon_server.auth.ports.places.PlaceStore` in memory."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, int]] = {}

    async def note(self, subject: str, address: str, now: int, most: int) -> bool:
        """See :meth:`PlaceStore.note`."""
        seen = self._places.setdefault(subject, {})
        new = bool(seen) and address not in seen
        seen[address] = now
        newest = sorted(seen, key=lambda one: (seen[one], one == address), reverse=True)
        self._places[subject] = {one: seen[one] for one in newest[:most]}
        return new

    async def knows(self, subject: str, address: str, since: int) -> bool:
        """See :meth:`PlaceStore.knows`."""
        return self._places.get(subject, {}).get(address, since) > since
