"""Waiting for a turn that has begun to answer."""

from antiphon.events.v1.event_pb2 import EVENT_KIND_TEXT_DELTA_APPENDED
from antiphon_client import Client
from tests.e2e.until import until_it


async def speaks(client: Client, conversation_id: str, turn_id: str) -> None:
    """Return when some of its answer stands in the log."""
    kinds = (EVENT_KIND_TEXT_DELTA_APPENDED,)

    async def found() -> bool:
        page = await client.read_events(f"conversations/{conversation_id}", kinds=kinds)
        return turn_id in {event.turn_id for event in page.events}

    await until_it(found)
