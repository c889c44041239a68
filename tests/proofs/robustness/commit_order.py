"""Several servers write into one conversation: whoever follows it never sees a gap.

``python -m tests.proofs.robustness.commit_order`` runs 16 writers on 2 processes until 10,000
events are stored, beside a follower that only ever asks for what comes after what it has.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from antiphon.events.v1 import event_pb2
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NewEvent, Offset, Scope
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.fakes.postgres import Postgres

SCOPE = Scope("conversations/conv_commit_order")
WRITERS, PROCESSES, EVENTS = 16, 2, 10_000
KIND = 10


@dataclass(frozen=True, slots=True)
class Followed:
    """What a follower saw: the events' texts in order, and each hole that it met."""

    texts: Sequence[str]
    gaps: Sequence[str]


@contextlib.asynccontextmanager
async def running(database: Database) -> AsyncIterator[EventLog]:
    """A server's log."""
    log = EventLog(SqlLogStore(database))
    committing = asyncio.create_task(log.run())
    yield log
    log.close()
    await committing


async def write(log: EventLog, writer: int, events: int) -> None:
    """Append one event after the other."""
    for number in range(events):
        event = event_pb2.Event(actor=f"{writer} {number}")
        appended = await log.append(SCOPE, [NewEvent(KIND, "", event.SerializeToString())])
        assert appended.first == appended.last


async def follow(database: Database, events: int) -> Followed:
    """Read what comes next, again and again, until there are so many."""
    store, after = SqlLogStore(database), Offset(0)
    texts: list[str] = []
    gaps: list[str] = []
    while len(texts) < events and not gaps:
        page = await store.read(SCOPE, after, 1000, 1 << 20, ())
        for record in page.records:
            if record.first != after + 1:
                gaps.append(f"after {after} comes {record.first}")
            after = record.last
            texts.append(event_pb2.Event.FromString(record.wire).actor)
        if page.position != after:
            gaps.append(f"after {after} the head is {page.position}")
    return Followed(texts, gaps)


def judge(followed: Followed, writers: int, events: int) -> list[str]:
    """What is wrong: gaps, and for each writer what is missing, doubled or out of order."""
    wrong = list(followed.gaps)
    for writer in range(writers):
        seen = [text for text in followed.texts if text.split()[0] == str(writer)]
        if seen != [f"{writer} {number}" for number in range(events // writers)]:
            wrong.append(f"of writer {writer} there is {len(seen)}, not all once in order")
    return wrong


async def _write_all(url: str, process: int) -> None:
    database = PostgresDatabase(url)
    async with running(database) as log:
        mine = range(process, WRITERS, PROCESSES)
        await asyncio.gather(*(write(log, writer, EVENTS // WRITERS) for writer in mine))
    await database.close()


async def _main() -> int:
    server = Postgres()
    try:
        server.start()
        url, began = await server.database(), time.perf_counter()
        database = PostgresDatabase(url, pool=2)
        module = ("-m", "tests.proofs.robustness.commit_order", url)
        writing = [
            await asyncio.create_subprocess_exec(sys.executable, *module, str(process))
            for process in range(PROCESSES)
        ]
        followed = await follow(database, EVENTS)
        codes = [await process.wait() for process in writing]
        head = await SqlLogStore(database).head(SCOPE)
        await database.close()
    finally:
        server.remove()
    wrong = judge(followed, WRITERS, EVENTS)
    wrong += [f"a process ended with {code}" for code in codes if code]
    took = time.perf_counter() - began
    print(f"{WRITERS} writers on {PROCESSES} processes: {head.last} events in {took:.1f} s")
    print("\n".join(wrong) or "contiguous: no gap, none missing, none doubled")
    return bool(wrong) or head.last != EVENTS


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_write_all(sys.argv[1], int(sys.argv[2])))
    else:
        sys.exit(asyncio.run(_main()))
