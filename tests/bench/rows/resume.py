"""A client that is a million events behind, beside a bare server that has them in memory."""

import time
from pathlib import Path

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message
from antiphon.events.v1.event_pb2 import Event, MessagePosted
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.encoding import new_event
from antiphon_server.events.model import Append, NewEvent, Scope
from tests.bench.antiphon import offline
from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_least, paired
from tests.bench.rows.sides import of

SCOPE = Scope("global")
AT_ONCE = 2000


async def resume(bench: Bench) -> list[Figure]:
    """One Subscribe from the earliest position; every event is decoded and checked."""
    events = 100_000 if bench.quick else 1_000_000
    data_dir = bench.fresh() / "data"
    await fill(data_dir, SCOPE, events)
    async with bench.floor(f"ring={events}") as floor, bench.antiphon(data_dir) as ours:
        bare, measured = await bench.in_turn(
            lambda: bench.load("resume", target=floor.target, scope=SCOPE, events=events),
            lambda: bench.load("resume", target=ours.target, scope=SCOPE, events=events),
        )
    return [
        paired(
            f"resume, {events:,} events behind",
            "events/s",
            of(measured, "events_per_s"),
            of(bare, "events_per_s"),
            at_least(100_000, of_floor=False),
        )
    ]


async def fill(data_dir: Path, scope: Scope, events: int, text: str = "word " * 8) -> None:
    """Put so many posted messages into a log, through the store's own adapter."""
    async with offline(data_dir) as database:
        store = SqlLogStore(database)
        for first in range(0, events, AT_ONCE):
            batch = [_posted(scope, at, text) for at in range(first, min(first + AT_ONCE, events))]
            append = Append(scope, batch, time_us=int(time.time() * 1e6))
            await store.append([append])


def _posted(scope: Scope, at: int, text: str) -> NewEvent:
    message = Message(message_id=f"msg_{at:016x}", author="users/bench", role=MESSAGE_ROLE_USER)
    message.conversation_id = scope.partition("/")[2]
    message.parts.add(text=text)
    return new_event(scope, Event(message_posted=MessagePosted(message=message)))
