"""What it costs that a worker works on a turn, beside the handler ``echo`` of the server's own."""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres
from tests.proofs.bench.antiphon import antiphon
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, median, paired, percentile
from tests.proofs.bench.processes import used_s
from tests.workers.processes import WorkerProcess, invited

REPEATING = (sys.executable, "-m", "tests.proofs.bench.repeating")
SIDE_BY_SIDE = 8
MESSAGE = " ".join(f"word{number}" for number in range(20))
DELTAS, GAP_MS = 100, 60


async def workers(bench: Bench) -> list[Figure]:
    """Commit to assign and a delta's way, on one server and two; processor time of a turn."""
    one = antiphon(bench.fresh())
    async with one, _worker(bench, one, one) as worker:
        figures = [*await _cost(bench, one, worker), *await _ways(bench, "", one)]
    async with _two(bench) as (here, there), _worker(bench, here, there):
        return [*figures, *await _ways(bench, ", of another server's worker", here)]


@asynccontextmanager
async def _two(bench: Bench) -> AsyncIterator[tuple[ServerProcess, ServerProcess]]:
    postgres = Postgres()
    await asyncio.to_thread(postgres.start)
    try:
        variables = {
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        }
        here, there = (antiphon(bench.fresh(), variables=variables) for _ in range(2))
        async with all_of([here, there]):
            yield here, there
    finally:
        await asyncio.to_thread(postgres.remove)


@asynccontextmanager
async def _worker(
    bench: Bench, server: ServerProcess, dials: ServerProcess
) -> AsyncIterator[WorkerProcess]:
    """A worker at ``dials``, once ``server`` knows of it."""
    key = await invited(server, "repeater")
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(server.client())
        allowed = [it async for it in client.list_worker_permissions("global")]
        await client.allow_worker("global", "stamper", allowed[0].user_id)
        process = WorkerProcess(dials.address, key, bench.fresh() / "worker.log", REPEATING)
        process.shown = False
        await stack.enter_async_context(process)

        async def is_there() -> bool:
            return bool([it async for it in client.list_workers("global")])

        await until_it(is_there)
        yield process


async def _cost(bench: Bench, server: ServerProcess, worker: WorkerProcess) -> list[Figure]:
    """Processor time of a turn whose words come 20 ms apart, to one who reads them."""
    turns = 50 if bench.quick else 100
    at_workers: list[float] = []

    async def of(handler: str) -> float:
        before, worker_before = used_s(server.pid), used_s(worker.pid)
        async with server.client() as client, asyncio.TaskGroup() as group:
            waiting = iter(range(turns))
            for _ in range(SIDE_BY_SIDE):
                group.create_task(_one_after_another(client, handler, waiting))
        if handler == "repeater":
            at_workers.append((used_s(worker.pid) - worker_before) * 1000 / turns)
        return (used_s(server.pid) - before) * 1000 / turns

    for handler in ("echo", "repeater"):
        await of(handler)  # what is imported at first use is not in it
    at_workers.clear()
    own, remote = await bench.in_turn(lambda: of("echo"), lambda: of("repeater"))
    name = "server's processor time of a turn at a worker"
    return [
        paired(name, "ms", remote, own, at_most(1.3)),
        Figure("the worker's own", median(at_workers), "ms", rounds=tuple(at_workers)),
    ]


async def _one_after_another(client: Client, handler: str, waiting: Iterator[int]) -> None:
    for _ in waiting:
        conversation = await client.create_conversation()
        async with client.converse(conversation.conversation_id) as talk:
            answer = "".join([it async for it in await talk.post(MESSAGE, handler=handler)])
        assert answer == MESSAGE, answer


async def _ways(bench: Bench, where: str, server: ServerProcess) -> list[Figure]:
    async with server.client() as client:
        turns = 100 if bench.quick else 300
        assigned = [await _assigned_ms(client) for _ in range(turns)]
        said = [ms for _ in range(2 if bench.quick else 5) for ms in await _said_ms(client)]
    assigns, deltas = f"commit to a worker's work{where}", f"a worker's delta to its commit{where}"
    return [
        _figure(f"{assigns}, p50", assigned, 50, 10),
        _figure(f"{assigns}, p99", assigned, 99, 50),
        _figure(f"{deltas}, p50", said, 50),
        _figure(f"{deltas}, p99", said, 99, 20),
    ]


def _figure(name: str, values: Sequence[float], percent: float, most: float = 0.0) -> Figure:
    target = at_most(most, of_floor=False) if most else None
    return Figure(name, percentile(values, percent), "ms", target=target)


async def _assigned_ms(client: Client) -> float:
    """From the time that the log gave the message until the worker's handler ran."""
    events = await _turn(client, "1 0")
    posted, answer = [it for it in events if it.HasField("message_posted")]
    return _stamp_ms(answer.message_posted.message.parts[0].text) - _time_ms(posted)


async def _said_ms(client: Client) -> list[float]:
    """From the writing of each piece at the worker until the log gave it its time."""
    deltas = [
        it for it in await _turn(client, f"{DELTAS} {GAP_MS}") if it.HasField("text_delta_appended")
    ]
    return [_time_ms(it) - _stamp_ms(it.text_delta_appended.text) for it in deltas]


def _stamp_ms(text: str) -> float:
    return float(text.split()[0]) * 1000


def _time_ms(event: event_pb2.Event) -> float:
    return event.time.ToMicroseconds() / 1000


async def _turn(client: Client, message: str) -> list[event_pb2.Event]:
    """The events of a turn in a conversation of its own, as they come."""
    conversation_id = (await client.create_conversation()).conversation_id
    await client.dispatch(conversation_id, message, handler="stamper")
    scope, events = f"conversations/{conversation_id}", []
    async with aclosing(aiter(client.follow(scope, earliest=True))) as coming:
        async for event in coming:
            events.append(event)
            if event.HasField("turn_finished"):
                break
    return events
