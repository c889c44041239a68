"""Much data in little time: through the stores' own adapters, while no server runs on them."""

import time
from dataclasses import replace
from pathlib import Path

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message
from antiphon.events.v1.event_pb2 import Event, MessagePosted
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.model.resources import ConversationId, ResourceId
from antiphon_server.context.ports import Records
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.encoding import new_event
from antiphon_server.events.model import Append, NewEvent, Scope
from antiphon_server.runtime.encoding.ids import new_id
from tests.proofs.bench.antiphon import offline

AT_ONCE = 2000


async def fill_log(data_dir: Path, scope: Scope, events: int, text: str = "word " * 8) -> None:
    """Put so many posted messages into a log."""
    async with offline(data_dir) as database:
        store = SqlLogStore(database)
        for first in range(0, events, AT_ONCE):
            batch = [_posted(scope, at, text) for at in range(first, min(first + AT_ONCE, events))]
            append = Append(scope, batch, time_us=int(time.time() * 1e6))
            await store.append([append])


async def copy_conversation(data_dir: Path, name: str, copies: int) -> None:
    """Give the owners of a conversation so many like it, each a little older than the one before.

    Nothing is said in them, and the log is told nothing of them.
    """
    async with offline(data_dir) as database:
        store = SqlStore(database)
        for first in range(0, copies, AT_ONCE):
            ages = range(first + 1, min(first + AT_ONCE, copies) + 1)
            await store.write(lambda records, ages=ages: _copy(records, name, ages))  # type: ignore[misc]


def _posted(scope: Scope, at: int, text: str) -> NewEvent:
    message = Message(message_id=f"msg_{at:016x}", author="users/bench", role=MESSAGE_ROLE_USER)
    message.conversation_id = scope.partition("/")[2]
    message.parts.add(text=text)
    return new_event(scope, Event(message_posted=MessagePosted(message=message)))


def _copy(records: Records, name: str, ages: range) -> None:
    original = records.conversations.get(ConversationId(name))
    assert original is not None
    owners = records.members.list_of(ResourceId(name), None, 10)
    for age in ages:
        copy = replace(
            original,
            conversation_id=ConversationId(new_id("conv")),
            create_us=original.create_us - age * 1000,
        )
        records.conversations.add(copy)
        for owner in owners:
            member = replace(owner, resource=ResourceId(copy.conversation_id))
            records.members.add(member, copy.create_us)
