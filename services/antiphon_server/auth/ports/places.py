"""Where accounts and keys were used from."""

from typing import Protocol


class PlaceStore(Protocol):
    """The addresses that a subject was seen at, so many of the newest."""

    async def record(self, subject: str, address: str, now: int, most: int) -> bool:
        """Note that the subject is there now; whether it never was, and was elsewhere before.

        ``subject`` is ``users/…`` or ``api_keys/…``; only its ``most`` newest places are kept.
        """
        ...

    async def knows(self, subject: str, address: str, since: int) -> bool:
        """Whether the subject was there after ``since``."""
        ...
