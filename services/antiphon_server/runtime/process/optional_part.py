"""Parts that a process can do without: its health says whether they are there."""

from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.availability import Availability


async def show_availability(
    part: str, availability: Availability, lifecycle: Lifecycle, health: Health
) -> None:
    """Show it as a part of the process's health, which serves on while it is away."""
    await health.set(part, availability.up, needed=False)
    lifecycle.spawn(part, _report(part, availability, health), vital=False)


async def _report(part: str, availability: Availability, health: Health) -> None:
    while True:
        await availability.changed.wait()
        availability.changed.clear()
        await health.set(part, availability.up, needed=False)
