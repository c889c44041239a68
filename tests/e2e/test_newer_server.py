"""A server goes on with what a newer one has written into the store that they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from antiphon.events.v1 import event_pb2
from antiphon_server.events import wire
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.model import Append, Appended, NewEvent, Scope
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.e2e.server import ServerProcess
from tests.fakes.newer import NUMBER, VALUE, newer

POSTED = event_pb2.EVENT_KIND_MESSAGE_POSTED


@asynccontextmanager
async def newer_log(server: ServerProcess) -> AsyncIterator[SqlLogStore]:
    """The log of a server that does not run now, as another one on its store has it."""
    database = SqliteDatabase(server.data_dir / "antiphon.db")
    yield SqlLogStore(database)
    await database.close()


def said(conversation_id: str) -> Any:
    """A message with a part of a kind to come, in a voice to come, and more beside it."""
    event = newer("events.v1.Event")(actor="handlers/newer")
    message = event.message_posted.message
    message.message_id, message.conversation_id = "msg_00000001", conversation_id
    message.role, message.author, message.newer = VALUE, "handlers/newer", "of the message"
    message.parts.add(text="a caption")
    message.parts.add().newer.text = "of the part"
    return event


def event_to_come() -> Any:
    """One that only a newer server understands."""
    event = newer("events.v1.Event")(actor="handlers/newer")
    event.newer.text = "of the event"
    return event


async def test_it_serves_what_it_does_not_understand(tmp_path: Path) -> None:
    """Reads, lists, follows and answers behind it; nothing of it is lost, and nothing fails."""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            made = await client.create_conversation("shared with a newer server")
        await server.terminate()
        scope = Scope(f"conversations/{made.conversation_id}")
        message, event = said(made.conversation_id), event_to_come()
        async with newer_log(server) as log:
            bodies = [(POSTED, message), (NUMBER, event)]
            events = [
                NewEvent(kind, "", wire.scoped(it.SerializeToString(), scope))
                for kind, it in bodies
            ]
            (place,) = await log.append([Append(scope, events, 1_800_000_000_000_000)])
            assert isinstance(place, Appended)
        await server.start()
        async with server.client() as client:
            async with client.converse(made.conversation_id) as talk:
                turn = await talk.post("hello")
                assert (await turn.result()).text
            listed = [each async for each in client.list_messages(made.conversation_id)]
            seen = []
            async for each in client.follow(scope, earliest=True):
                seen.append(newer("events.v1.Event").FromString(each.SerializeToString()))
                if each.HasField("turn_finished"):
                    break
        places = [(it.first_offset, it.last_offset) for it in seen]
        assert [first for first, _ in places[1:]] == [last + 1 for _, last in places[:-1]]
        assert seen[place.first - 1].message_posted == message.message_posted
        assert seen[place.first].newer.text == "of the event"
        found = newer("context.v1.Message").FromString(listed[-1].SerializeToString())
        for name in ("create_time", "offset"):
            found.ClearField(name)
        assert found == message.message_posted.message
        assert server.defects == []
