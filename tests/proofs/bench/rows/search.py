"""Search: of a user with 90,000 messages and 10,000 memories, on SQLite and on Postgres."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import ListConversationsRequest, ListMessagesRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.memory.v1.memory_pb2 import MEMORY_KIND_NOTE, Memory
from antiphon.memory.v1.memory_service_pb2 import PutMemoryRequest
from antiphon.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.proofs.bench.antiphon import offline
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, Target, at_most, paired, point
from tests.proofs.bench.loads.client import Target as Whom
from tests.proofs.bench.meshes import stores
from tests.proofs.bench.rows.sides import in_ms
from tests.proofs.bench.said import fill, queries, texts
from tests.proofs.bench.tsvector import Matching, matching

MESSAGES, MEMORIES, CONVERSATIONS = 90_000, 10_000, 500
SEARCHES, POSTS = 200, 50
OF_A_POINT = (50, 10)
DATABASE = "ANTIPHON_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class _Server:
    """A store that is filled, and what leads servers to it."""

    data_dir: Path
    variables: Mapping[str, str]
    conversation: str


async def search(bench: Bench) -> list[Figure]:
    """The whole RPC, what it takes to begin, memory, and how soon a post is found."""
    size = _size(bench, MESSAGES, MEMORIES)
    figures = []
    for store in ("SQLite", "Postgres"):
        async with _filled(bench, store, *size) as it:
            found = [await _measured(bench, it) for _ in range(1 if bench.quick else 3)]
            figures += _figures(store, found)
            if store == "Postgres":
                figures += _beside(await matching(it.variables[DATABASE], queries(SEARCHES)))
    return figures


async def searches(bench: Bench) -> list[Figure]:
    """The same on SQLite with 1,000 to 1,000,000 of both, 180 messages in a conversation."""
    figures = []
    for size in (1_000, 10_000) if bench.quick else (1_000, 10_000, 100_000, 1_000_000):
        memories = min(size // 10, MEMORIES)
        async with _filled(bench, "SQLite", *_size(bench, size - memories, memories)) as it:
            found = [await _measured(bench, it, *OF_A_POINT)]
        for percent in (50, 95):
            took = in_ms(found, "search_s", percent)
            figures.append(point(f"search: a search, p{percent}", "ms", size, took))
            took = in_ms(found, "recall_s", percent)
            figures.append(point(f"search: a recall, p{percent}", "ms", size, took))
        figures += [
            point("search: until all is read", "s", size, [it["ready_s"] for it in found]),
            point("search: memory", "MB", size, [it["memory_mb"] for it in found]),
        ]
    return figures


def _size(bench: Bench, messages: int, memories: int = 0) -> tuple[int, int, int]:
    """So many messages, conversations and memories."""
    if bench.quick:
        messages, memories = min(messages, 10_000), min(memories, 1_000)
    return messages, max(messages * CONVERSATIONS // MESSAGES, 1), memories


@asynccontextmanager
async def _filled(
    bench: Bench, store: str, messages: int, conversations: int, memories: int
) -> AsyncIterator[_Server]:
    async with AsyncExitStack() as stack:
        data_dir, variables = bench.fresh() / "data", dict[str, str]()
        if store == "Postgres":
            shared = await stack.enter_async_context(stores(bench.fresh()))
            variables = await shared.variables("said")
        async with bench.antiphon(data_dir, variables=variables) as server:
            whom = Whom(**server.target)
            async with whom.channel() as channel:
                like = await whom.conversation(channel)
                await _remember(whom, channel, memories)
        async with _stopped(data_dir, variables) as database:
            await fill(database, like, conversations, messages)
        yield _Server(data_dir, variables, like)


async def _remember(whom: Whom, channel: grpc.aio.Channel, memories: int) -> None:
    memory, notes = MemoryServiceStub(channel), itertools.islice(texts(seed=3), memories)

    async def put() -> None:
        for text in notes:
            request = PutMemoryRequest(memory=Memory(kind=MEMORY_KIND_NOTE, text=text))
            await memory.PutMemory(request, **_asked(whom))

    await asyncio.gather(*(put() for _ in range(8)))


@asynccontextmanager
async def _stopped(data_dir: Path, variables: Mapping[str, str]) -> AsyncIterator[Database]:
    if DATABASE not in variables:
        async with offline(data_dir) as sqlite:
            yield sqlite
        return
    postgres = PostgresDatabase(variables[DATABASE])
    try:
        yield postgres
    finally:
        await postgres.close()


async def _measured(
    bench: Bench, it: _Server, searches: int = SEARCHES, posts: int = POSTS
) -> dict[str, Any]:
    async with bench.antiphon(it.data_dir, variables=it.variables) as server:
        await _listed(Whom(**server.target))
        before = server.server.resident_bytes
        job = {"conversation": it.conversation, "queries": queries(searches), "posts": posts}
        result = await bench.load("search", target=server.target, **job)
        return result | {"memory_mb": (server.server.resident_bytes - before) / 1e6}


async def _listed(whom: Whom) -> None:
    """Look at each conversation once: its list of messages is kept up by who uses it."""
    async with whom.channel() as channel:
        context, asked = ContextServiceStub(channel), _asked(whom)
        request = ListConversationsRequest(page_size=100)
        while True:
            page = await context.ListConversations(request, **asked)
            for each in page.conversations:
                last = ListMessagesRequest(conversation_id=each.conversation_id, page_size=1)
                await context.ListMessages(last, **asked)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _asked(whom: Whom) -> dict[str, Any]:
    return {"metadata": whom.metadata, "timeout": 60}


def _figures(store: str, found: list[dict[str, Any]]) -> list[Figure]:
    def figure(name: str, unit: str, values: Sequence[float], *bound: Target) -> Figure:
        return paired(f"{name}, {store}", unit, values, (), *bound)

    def ms(key: str, percent: float) -> list[float]:
        return in_ms(found, key, percent)

    return [
        figure("a search, p50", "ms", ms("search_s", 50)),
        figure("a search, p95", "ms", ms("search_s", 95), at_most(50, of_floor=False)),
        figure("a recall of messages and memories, p50", "ms", ms("recall_s", 50)),
        figure(
            "a recall of messages and memories, p95",
            "ms",
            ms("recall_s", 95),
            at_most(50, of_floor=False),
        ),
        figure("server CPU per search", "ms", [it["search_cpu_ms"] for it in found]),
        figure("a search right after a post, p95", "ms", ms("after_post_s", 95)),
        figure(
            "from a post's answer to the search that finds it, p95",
            "ms",
            ms("findable_s", 95),
            at_most(10, of_floor=False),
        ),
        figure("until all is read after a start", "s", [it["ready_s"] for it in found]),
        figure(
            "memory that search takes",
            "MB",
            [it["memory_mb"] for it in found],
            at_most(300, of_floor=False),
        ),
    ]


def _beside(found: Matching) -> list[Figure]:
    """What Postgres' full text takes for the same texts and queries, without any server."""
    return [
        paired("full text of Postgres, ranked, p50", "ms", [found.p50_ms]),
        paired("full text of Postgres, ranked, p95", "ms", [found.p95_ms]),
        paired("full text of Postgres, to build", "s", [found.build_s]),
        paired("full text of Postgres, index and column", "MB", [found.size_mb]),
    ]
