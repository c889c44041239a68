"""What it costs that a worker works on a turn, beside a handler of the server's own."""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres
from tests.proofs.bench.antiphon import antiphon
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired, percentile
from tests.proofs.bench.processes import used_s
from tests.workers.processes import WorkerProcess, invited

ECHOING = (sys.executable, "-m", "tests.workers.echoing")
TURNS, SIDE_BY_SIDE = 100, 20
WORDS = 60
DELTAS, GAP_MS = 100, 60


async def workers(bench: Bench) -> list[Figure]:
    """Commit to Assign and a delta's way, on one server and two; processor time of a turn."""
    async with AsyncExitStack() as stack:
        one = antiphon(bench.fresh())
        await stack.enter_async_context(one)
        worker = await stack.enter_async_context(_worker(one, one, bench))
        figures = [
            *await _ways("", one),
            *await _cpu(bench, one, worker),
        ]
    async with _two(bench) as (here, there), _worker(here, there, bench):
        return [*figures, *await _ways(", of another server's worker", here)]


@asynccontextmanager
async def _worker(
    server: ServerProcess, at: ServerProcess, bench: Bench
) -> AsyncIterator[WorkerProcess]:
    key = await invited(server, "repeater")
    async with server.client() as client:
        allowed = [it async for it in client.list_worker_permissions("global")]
        await client.allow_worker("global", "stamper", allowed[0].user_id)
    async with WorkerProcess(at.address, key, bench.fresh() / "worker.log", ECHOING) as worker:
        worker.shown = False
        async with server.client() as client:
            await until_it(lambda: _is_there(client))
        yield worker


async def _is_there(client: Client) -> bool:
    return bool([it async for it in client.list_workers("global")])


@asynccontextmanager
async def _two(bench: Bench) -> AsyncIterator[tuple[ServerProcess, ServerProcess]]:
    postgres = Postgres()
    await asyncio.to_thread(postgres.start)
    try:
        variables = {
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        }
        homes: Sequence[Path] = (bench.fresh(), bench.fresh())
        here, there = (antiphon(it, variables=variables) for it in homes)
        async with all_of([here, there]):
            yield here, there
    finally:
        await asyncio.to_thread(postgres.remove)


async def _ways(where: str, server: ServerProcess) -> list[Figure]:
    async with server.client() as client:
        assigned = [await _assigned_ms(client) for _ in range(TURNS)]
        delivered = [ms for _ in range(2) for ms in await _delivered_ms(client)]
    return [
        _figure(f"commit to a worker's work{where}, p50", assigned, 50, 10),
        _figure(f"commit to a worker's work{where}, p99", assigned, 99, 50),
        _figure(f"a worker's delta until the log has it to commit{where}, p50", delivered, 50, 0),
        _figure(f"a worker's delta until the log has it to commit{where}, p99", delivered, 99, 20),
    ]


def _figure(name: str, values: Sequence[float], percent: float, most: float) -> Figure:
    target = at_most(most, of_floor=False) if most else None
    return Figure(name, percentile(values, percent), "ms", target=target)


async def _assigned_ms(client: Client) -> float:
    """From when the log had the turn's message to commit until its handler ran."""
    events = await _turn(client, "stamper", "1 0")
    posted = next(it for it in events if it.HasField("message_posted"))
    (answer,) = [it for it in events if it.HasField("message_posted")][1:]
    began = float(answer.message_posted.message.parts[0].text)
    return began * 1000 - posted.time.ToMicroseconds() / 1000


async def _delivered_ms(client: Client) -> list[float]:
    """From each piece's writing at the worker until the log has it to commit."""
    conversation = await client.create_conversation()
    scope = f"conversations/{conversation.conversation_id}"
    told = await client.dispatch(
        conversation.conversation_id, f"{DELTAS} {GAP_MS}", handler="stamper"
    )
    deltas: list[event_pb2.Event] = []
    while len(deltas) < DELTAS:
        await asyncio.sleep(0.2)
        events = [it for page in [await client.read_events(scope)] for it in page.events]
        deltas = [it for it in events if it.HasField("text_delta_appended")]
    await _ended(client, conversation.conversation_id, told.turn.turn_id)
    return [
        it.time.ToMicroseconds() / 1000 - float(it.text_delta_appended.text.split()[0]) * 1000
        for it in deltas
    ]


async def _turn(client: Client, handler: str, message: str) -> list[event_pb2.Event]:
    conversation = (await client.create_conversation()).conversation_id
    told = await client.dispatch(conversation, message, handler=handler)
    await _ended(client, conversation, told.turn.turn_id)
    return list((await client.read_events(f"conversations/{conversation}")).events)


async def _ended(client: Client, conversation_id: str, turn_id: str) -> None:
    async def has_ended() -> bool:
        return (await client.get_turn(conversation_id, turn_id)).HasField("end_time")

    await until_it(has_ended)


async def _cpu(bench: Bench, server: ServerProcess, worker: WorkerProcess) -> list[Figure]:
    """Many turns of the same words at once; who waits for them asks seldom."""
    message = " ".join(f"word{number}" for number in range(WORDS))
    used: list[float] = []

    async def of(handler: str) -> float:
        before, before_worker = used_s(server.pid), used_s(worker.pid)
        async with server.client() as client:
            await _all_at_once(client, handler, message)
        if handler == "repeater":
            used.append((used_s(worker.pid) - before_worker) * 1000 / SIDE_BY_SIDE)
        return (used_s(server.pid) - before) * 1000 / SIDE_BY_SIDE

    await of("echo")
    own, remote = await bench.in_turn(lambda: of("echo"), lambda: of("repeater"))
    return [
        paired("server CPU of a turn at a worker, 60 words", "ms", remote, own, at_most(1.3)),
        Figure("the worker's own CPU of it", sorted(used)[len(used) // 2], "ms"),
    ]


async def _all_at_once(client: Client, handler: str, message: str) -> None:
    where = [(await client.create_conversation()).conversation_id for _ in range(SIDE_BY_SIDE)]
    turns = [await client.dispatch(it, message, handler=handler) for it in where]
    await asyncio.sleep(WORDS * 0.02 + 1.0)
    for it in turns:
        await _ended(client, it.turn.conversation_id, it.turn.turn_id)
