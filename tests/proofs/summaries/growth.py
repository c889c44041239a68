"""``python -m tests.proofs.summaries.growth``: what context costs in longer and longer ones.

Context, log and memory are those of a server, on SQLite, in one process without a network.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from antiphon.context.v1 import message_pb2
from antiphon.events.v1 import event_pb2
from antiphon_server.memory.adapters.assemblies import SqlAssemblies
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.logs import EventServiceLogs
from antiphon_server.memory.adapters.sql_summaries import SqlSummaries
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.assembled import Assembly
from antiphon_server.memory.assembly.assembling import Assembling
from antiphon_server.memory.assembly.contributions import Contributions
from antiphon_server.memory.assembly.older_messages import OlderMessages
from antiphon_server.memory.assembly.what_came_before import WhatCameBefore
from antiphon_server.memory.model import AssemblyWish, ConversationId, MessageId
from antiphon_server.memory.search.library import Library
from antiphon_server.memory.summaries.making import Making
from antiphon_server.memory.summaries.reading import Reading
from antiphon_server.memory.summaries.summarising import Summarising
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.storage.database import Database
from tests.context.stand_ins import ANN, SERVICE
from tests.context.world import World, parts, posted
from tests.context.world import world as context_world
from tests.fakes.databases import opened_sqlite
from tests.proofs.recall.conversations import ours

SIZES = (100, 1_000, 10_000, 100_000)
AT_ONCE = 500
TURNS = 40
BUDGET = 4_000
_SERVICE = Principal("service", UserId("dispatcher"), SessionId("s"))


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server has of memory."""

    library: Library
    summarising: Summarising
    assembling: Assembling
    by_summaries: Assembling
    by_search: Assembling


def memory(world: World, database: Database) -> Memory:
    """One that knows nothing yet."""
    conversations = ContextConversations(world.client(SERVICE))
    store, events, names = SqlSummaries(database), world.log_service.stub, world.accounts
    library = Library(conversations, EventServiceLogs(events), names)
    logs = EventServiceLogs(events, tells_undone=True)
    summarising = Summarising(logs, conversations, store, Making(store, conversations, library))
    summaries = WhatCameBefore(Reading(store, logs, conversations, names, summarising.want))
    older, kept = OlderMessages(conversations, names, library), SqlAssemblies(database)

    def of(*contributors: OlderMessages | WhatCameBefore) -> Assembling:
        return Assembling(conversations, Contributions(contributors), kept)

    return Memory(library, summarising, of(older, summaries), of(summaries), of(older))


async def fill(world: World, conversation_id: str, size: int) -> None:
    """Have people and models say so much, of what people in our conversations say."""
    said = [it.text for conversation in ours() for it in conversation.turns]
    for start in range(0, size, AT_ONCE):
        events = [
            _event(conversation_id, at, f"{said[at % len(said)]} ({at})")
            for at in range(start, min(start + AT_ONCE, size))
        ]
        await world.append(conversation_id, *events)


def _event(conversation_id: str, at: int, text: str) -> event_pb2.Event:
    is_user = at % 2 == 0
    return posted(
        message_pb2.Message(
            message_id=f"msg_{at:012}",
            conversation_id=conversation_id,
            role=message_pb2.MESSAGE_ROLE_USER if is_user else message_pb2.MESSAGE_ROLE_ASSISTANT,
            author=f"users/{ANN}" if is_user else "handlers/assistant",
            turn_id=f"turn_{at // 2:012}",
            parts=parts(text),
        )
    )


async def asked(
    world: World, conversation_id: str, at: int, assemble: Callable[..., Awaitable[Assembly]]
) -> tuple[float, Assembly]:
    """Say something, and how long it takes to know what a model is shown then, in ms."""
    await world.append(conversation_id, _event(conversation_id, at, "What did we decide on boats?"))
    wish = AssemblyWish(
        ConversationId(conversation_id), "boats", BUDGET, MessageId(f"msg_{at:012}")
    )
    began = time.perf_counter()
    found = await assemble(_SERVICE, wish)
    return (time.perf_counter() - began) * 1e3, found


async def measure(size: int) -> Mapping[str, object]:
    """The figures of one size, in ms."""
    async with context_world() as world, opened_sqlite(metadata) as database:
        here = await world.conversation()
        await fill(world, here, size)
        made = memory(world, database)
        reading = asyncio.create_task(made.library.run())
        try:
            return await _figures(world, here, size, made)
        finally:
            reading.cancel()
            await asyncio.wait([reading])


async def _figures(world: World, here: str, size: int, made: Memory) -> Mapping[str, object]:
    await world.context_of(here, BUDGET)  # the projection knows it all, as turns have seen to
    figures: dict[str, object] = {"messages": size}
    first_ms, _ = await asked(world, here, size, made.assembling.assemble)
    while True:  # until search knows it
        brought = await made.library.bring_up([ConversationId(here)], 60.0)
        if brought.conversation_ids:
            break
    began, count = time.perf_counter(), 0
    while more := await made.summarising.round():
        count += more
    summarised_s = time.perf_counter() - began
    figures["first"] = round(first_ms, 1)
    at = size
    ways = {"all": made.assembling, "search": made.by_search, "summaries": made.by_summaries}
    for name, way in {**ways, "window": None}.items():
        took, cpu_s = list[float](), time.process_time()
        for _ in range(TURNS):
            at += 1
            if way is None:
                began = time.perf_counter()
                await world.context_of(here, BUDGET)
                took.append((time.perf_counter() - began) * 1e3)
            else:
                ms, last = await asked(world, here, at, way.assemble)
                took.append(ms)
        took.sort()
        cpu_ms = (time.process_time() - cpu_s) * 1e3 / TURNS
        figures[name] = f"{statistics.median(took):.1f} {took[-3]:.1f} {cpu_ms:.1f}"
        if name == "summaries":
            figures["shown"] = len(last.items)
    figures |= {"summaries made": count, "in s": round(summarised_s, 1)}
    return figures


def main() -> None:
    """Print a line a size: median, 95th percentile, and the processor's time, in ms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    for size in parser.parse_args().sizes:
        print(dict(asyncio.run(measure(size))), flush=True)


if __name__ == "__main__":
    main()
