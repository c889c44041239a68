"""What it costs to know who calls and whether they may: authentication and access together."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from sqlalchemy import Engine, event

from antiphon.events.v1.event_service_pb2 import FollowRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.rules import rule_of
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.methods import MethodInterceptor
from antiphon_server.runtime.telemetry.logs import configure_logging
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, paired
from tests.proofs.bench.rows.known import Known, known_caller
from tests.proofs.bench.rows.layers import CALLS, SLICES, Caller, in_us, local, rounds, table_of

MOST_US = at_most(60, of_floor=False)
NO_QUERIES = at_most(0, of_floor=False)
READ_EVENTS = "/antiphon.events.v1.EventService/ReadEvents"


async def access(bench: Bench) -> list[Figure]:
    """Processor time that both add to a call, to a stream and its watch; queries they make."""
    configure_logging("warning")
    async with known_caller(bench) as known:
        guards = [AuthenticationInterceptor(known.verifier), AccessInterceptor(known.policy)]
        tables = [_table([]), _table(guards)]
        await asyncio.gather(*(local(table, known)() for table in tables))  # caches are warm
        with _counted() as queries:
            unary_us = await _added(bench, [local(table, known) for table in tables])
            stream_us = await _added(bench, [_stream(table, known) for table in tables])
            watch_us = await _added(bench, [_nothing, _watch(known)])
    calls = CALLS * SLICES * bench.rounds * 3
    return [
        paired("access: of a unary call", "us more", unary_us, (), MOST_US),
        paired("access: of opening a stream", "us more", stream_us, (), MOST_US),
        paired("access: of a watch on it", "us", watch_us, (), MOST_US),
        Figure("access: queries", len(queries) / calls, "a call", target=NO_QUERIES),
    ]


async def _added(bench: Bench, callers: Sequence[Caller]) -> list[float]:
    """What the second caller takes more than the first, round by round, in microseconds a call."""
    without, guarded = await rounds(bench, callers)
    return in_us([more - less for less, more in zip(without, guarded, strict=True)])


def _table(guards: Sequence[MethodInterceptor]) -> LocalServer:
    table = table_of([ErrorInterceptor(), *guards])
    follow: Any = grpc.unary_stream_rpc_method_handler(_ends_at_once)
    table.add_registered_method_handlers("antiphon.events.v1.EventService", {"Follow": follow})
    return table


async def _ends_at_once(_request: Any, _context: Any) -> None:
    """A stream of nothing."""


def _stream(table: LocalServer, known: Known) -> Caller:
    stub: Any = EventServiceStub(table.channel())

    async def call() -> None:
        for _ in range(CALLS):
            async for _frame in stub.Follow(FollowRequest(), metadata=known.metadata):
                pass

    return call


def _watch(known: Known) -> Caller:
    """What a stream asks when a watch on it begins, and when access changes."""
    rule, scope = rule_of(READ_EVENTS), f"conversations/{known.conversation}"

    async def call() -> None:
        principal = await known.verifier.verify(known.token)
        for _ in range(CALLS):
            enforce(await known.policy.decide(principal, rule, scope))

    return call


async def _nothing() -> None:
    """What a watch without access would ask."""


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Every statement that any database is given in the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
