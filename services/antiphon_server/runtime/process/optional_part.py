"""Parts that a process can do without: its health says whether they are there."""

import asyncio
from typing import Protocol

from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health


class OptionalPart(Protocol):
    """Something that a process can do without; ``changed`` is set when it goes and comes."""

    changed: asyncio.Event

    @property
    def up(self) -> bool:
        """Whether it is there, and does all that it is to do."""
        ...


async def show_availability(
    part: str, availability: OptionalPart, lifecycle: Lifecycle, health: Health
) -> None:
    """Show it as a part of the process's health, which serves on while it is away."""
    await health.set(part, availability.up, needed=False)
    lifecycle.spawn(part, _report(part, availability, health), vital=False)


async def _report(part: str, availability: OptionalPart, health: Health) -> None:
    while True:
        await availability.changed.wait()
        availability.changed.clear()
        await health.set(part, availability.up, needed=False)
