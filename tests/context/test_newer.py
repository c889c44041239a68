"""What a newer server has put into outbox and log is told, listed and shown as it came."""

from typing import Any

from sqlalchemy import insert

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.events.v1 import event_pb2
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.tables import outbox
from antiphon_server.context.service.relay import relay_to_log
from tests.context.stand_ins import ANN
from tests.context.world import World
from tests.fakes.newer import VALUE, newer


def entry(scope: str) -> Any:
    """What a newer server has committed with a change of its own, and not told yet."""
    request = newer("events.v1.AppendRequest")(scope=scope, request_id="out_newer")
    created = request.events.add(actor=f"users/{ANN}").conversation_updated
    created.conversation.newer, created.conversation.turn_policy = "of the conversation", VALUE
    request.events.add(actor=f"users/{ANN}").newer.text = "of the event"
    return request


async def read(world: World, scope: str) -> Any:
    page = await world.events(scope)
    return newer("events.v1.ReadEventsResponse").FromString(page.SerializeToString()).events


async def test_an_entry_is_told_as_it_was_written(world: World) -> None:
    """Whichever server gets to it first: nothing is dropped, and it holds up nobody."""
    scope = f"conversations/{await world.conversation()}"
    before = len(await read(world, scope))
    values = {"entry_id": "out_newer", "body": entry(scope).SerializeToString()}
    await world.database.write(lambda it: it.execute(insert(outbox), values))
    relay = relay_to_log(world.store, EventServiceLog(world.log_service.stub).append)
    assert await relay.relay_outbox()
    assert relay.up
    told = (await read(world, scope))[before:]
    for found, sent in zip(told, entry(scope).events, strict=True):
        assert found.conversation_updated == sent.conversation_updated
        assert found.newer == sent.newer


async def test_messages_are_listed_and_shown_as_they_were_posted(world: World) -> None:
    """A voice, parts and more that this version does not know, among others that it does."""
    conversation_id = await world.conversation()
    event = newer("events.v1.Event")(actor="handlers/newer")
    said = event.message_posted.message
    said.message_id, said.author, said.role = "msg_00000001", "handlers/newer", VALUE
    said.conversation_id, said.newer = conversation_id, "of the message"
    said.parts.add().newer.text = "of the part"
    unknown = newer("events.v1.Event")(actor="handlers/newer")
    unknown.newer.text = "of the event"
    for it in (unknown, event, unknown):
        await world.append(conversation_id, event_pb2.Event.FromString(it.SerializeToString()))
    await world.say(conversation_id, "and on it goes")
    listed = await world.client(ANN).ListMessages(
        pb.ListMessagesRequest(conversation_id=conversation_id)
    )
    shown = await world.context_of(conversation_id)
    again = await world.context_of(conversation_id)  # from memory
    for messages in (listed.messages[::-1], shown.messages, again.messages):
        first, second = messages
        found = newer("context.v1.Message").FromString(first.SerializeToString())
        for name in ("create_time", "offset"):
            found.ClearField(name)
        assert found == said
        assert second.parts[0].text == "and on it goes"
