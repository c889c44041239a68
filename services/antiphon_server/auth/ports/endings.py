"""How a process learns of sessions that others ended."""

from typing import Protocol

from antiphon_server.auth.model.endings import Ending


class EndingStore(Protocol):
    """The ends of sessions in their order; every store that ends a session notes it here."""

    async def last(self) -> int:
        """The newest position, an ending's or a key rotation's; 0 if there was none."""
        ...

    async def after(self, position: int, limit: int) -> list[Ending]:
        """The first endings behind a position.

        None ever appears before one that was returned, whatever commits at once.
        """
        ...

    async def before(self, time: int) -> int:
        """The position behind which all endings are that came at ``time`` (microseconds) or later.

        The newest position if there was none since.
        """
        ...
