"""A store that runs as a child of this process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from antiphon_server.runtime.process.child import Child


class StoreDidNotStart(Exception):
    """A store can't be used here; the message says why, or where to look."""


@dataclass(frozen=True, slots=True)
class LocalStore:
    """``url`` leads there, with its password. Whoever has it stops the ``child``."""

    child: Child
    url: str = field(repr=False)


async def begun(child: Child, ready: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Start it, and return when it is ready; else it does not run. Raises StoreDidNotStart."""
    await child.start()
    try:
        if not await child.is_up(ready, within_s):
            raise StoreDidNotStart(f"{child.name} did not start; see {child.output}")
    except BaseException:
        await child.stop()
        raise
