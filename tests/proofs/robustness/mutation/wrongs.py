"""What the planted defects do: each takes a function of the server and returns a worse one."""

import asyncio
import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

EACH = 3
"""A defect that is to happen now and then happens each third time."""


def nothing(result: Any = None) -> Any:
    """An asynchronous function that does nothing."""

    def wrap(original: Any) -> Any:
        async def do(*_: Any, **__: Any) -> Any:
            return result

        return do

    return wrap


def answering(result: Any) -> Any:
    """A function that does nothing and always answers the same."""
    return lambda original: lambda *_, **__: result


def without_sync(original: Any) -> Any:
    """Connections to SQLite that never sync."""

    class Hasty(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("synchronous=FULL", "synchronous=OFF"), *parameters)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return original(*arguments, factory=Hasty, **options)  # type: ignore[no-any-return]

    return connect


def told_first(original: Any) -> Any:
    """An append that is answered before it is committed, as if nothing could go wrong."""
    ends: dict[Any, Any] = {}
    pending: list[asyncio.Task[Any]] = []

    async def append(store: Any, batch: Sequence[Any]) -> Any:
        from antiphon_server.events.model import Appended, Offset

        if pending:
            await pending.pop()
        results = []
        for it in batch:
            if it.scope not in ends:
                head = await store.head(it.scope)
                ends[it.scope] = Appended(head.epoch, head.last, head.last, it.time_us)
            first = Offset(ends[it.scope].last + 1)
            last = Offset(first + len(it.events) - 1)
            ends[it.scope] = replace(ends[it.scope], first=first, last=last)
            results.append(ends[it.scope])
        pending.append(asyncio.create_task(_later(original, store, batch)))
        return results

    return append


async def _later(original: Any, store: Any, batch: Sequence[Any]) -> Any:
    await asyncio.sleep(0.02)
    return await original(store, batch)


def appending(change: Any) -> Any:
    """An append whose request ``change`` has altered."""

    def wrap(original: Any) -> Any:
        async def append(servicer: Any, request: Any, context: Any) -> Any:
            altered = type(request)()
            altered.CopyFrom(request)
            change(altered)
            return await original(servicer, altered, context)

        return append

    return wrap


def forgotten_post(request: Any) -> None:
    """Answer each message that is no turn's, and store something else."""
    event = request.events[0]
    if len(request.events) == 1 and event.HasField("message_posted") and not event.turn_id:
        event.turn_progressed.status = "lost"


def doubled_delta(request: Any) -> None:
    """Say the last piece of text twice."""
    pieces = [event for event in request.events if event.HasField("text_delta_appended")]
    if pieces:
        request.events.add().CopyFrom(pieces[-1])


def dropped_delta(request: Any) -> None:
    """Do not say each third piece of text."""
    for at, event in enumerate(request.events):
        delta = event.text_delta_appended
        if event.HasField("text_delta_appended") and delta.position % EACH == 1:
            del request.events[at]
            request.events.add(turn_id=event.turn_id).turn_progressed.status = "lost"
            return


def cut_answer(request: Any) -> None:
    """Store an answer without its last character."""
    for event in request.events:
        parts = event.message_posted.message.parts
        if event.turn_id and event.actor.startswith("handlers/") and parts:
            parts[0].text = parts[0].text[:-1]


def swallowed_end(request: Any) -> None:
    """Never say that a turn has ended."""
    for event in request.events:
        if event.HasField("turn_finished"):
            event.turn_progressed.status = "lost"


def forgotten_request(request: Any) -> None:
    """Do not know a repeated append again."""
    request.request_id = ""


def batches(change: Any) -> Any:
    """A batch on its way to a client, of which each third is altered."""
    numbers = itertools.count(1)

    def wrap(original: Any) -> Any:
        def batch(watch_id: Any, records: Any, *more: Any) -> Any:
            if next(numbers) % EACH == 0:
                records = change(list(records))
            return original(watch_id, records, *more)

        return batch

    return wrap


def moved_cursor(by: int) -> Any:
    """A cursor that is read as one a little further, or a little before."""

    def wrap(original: Any) -> Any:
        decode = original.__func__

        def moved(cls: Any, *arguments: Any) -> Any:
            cursor = decode(cls, *arguments)
            return replace(cursor, offset=max(cursor.offset + by, 0))

        return classmethod(moved)

    return wrap


def same_epoch(original: Any) -> Any:
    """Every history has the same name."""

    def new_epoch() -> Any:
        return "0" * len(original())

    return new_epoch


def model_left_running(original: Any) -> Any:
    """A model that goes on when nobody wants its answer any more."""
    running: set[asyncio.Task[Any]] = set()

    async def generate(servicer: Any, request: Any, context: Any) -> Any:
        task = asyncio.create_task(original(servicer, request, _Deaf(context)))
        running.add(task)
        task.add_done_callback(running.discard)
        return await asyncio.shield(task)

    return generate


class _Deaf:
    """A call's context for a handler that does not notice that the caller has gone."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def write(self, message: Any) -> None:
        try:
            await self._context.write(message)
        except Exception:  # nobody listens
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def twice(original: Any) -> Any:
    """What is to be done once is done twice."""

    def do(*arguments: Any, **options: Any) -> Any:
        original(*arguments, **options)
        return original(*arguments, **options)

    return do


def doubled_call(original: Any) -> Any:
    """Each call of a model is written into the ledger twice."""

    async def open_(ledger: Any, call: Any, *more: Any) -> Any:
        await original(ledger, replace(call, call_id=f"{call.call_id}b"), *more)
        return await original(ledger, call, *more)

    return open_


def unwidened(original: Any) -> Any:
    """Folding takes deltas away, and no event takes over their offsets."""

    def fold(*arguments: Any) -> Any:
        plan = original(*arguments)
        return replace(plan, widened=[it._replace(first=it.last) for it in plan.widened])

    return fold


def from_the_start(original: Any) -> Any:
    """A resumed turn does not know how far it was."""

    def go_on(execution: Any, lane: Any, turn: Any, text: str) -> Any:
        return original(execution, lane, turn, "")

    return go_on


def without_fence(original: Any) -> Any:
    """A log that lets a replaced attempt write."""

    async def append(store: Any, batch: Sequence[Any]) -> Any:
        return await original(store, [replace(it, fence=None) for it in batch])

    return append


def from_the_earliest(original: Any) -> Any:
    """Who asks for what is gone gets what there is, and is not told."""

    async def position(log: Any, scope: Any, cursor: str) -> Any:
        from antiphon_server.runtime.errors import DomainError

        try:
            return await original(log, scope, cursor)
        except DomainError:
            return (await log.head(scope)).earliest - 1

    return position


def patient(original: Any) -> Any:
    """A stream whose client does not read is not ended."""

    async def refuse(context: Any, error: Any) -> None:
        if error.metadata.get("resource") != "stream":
            await original(context, error)

    return refuse


def empty_page(original: Any) -> Any:
    """Who reads from a place that is gone gets a page with nothing on it, as if at the end."""

    async def read(servicer: Any, request: Any, context: Any) -> Any:
        from antiphon.events.v1.event_service_pb2 import ReadEventsResponse
        from antiphon_server.runtime.errors import DomainError

        try:
            return await original(servicer, request, context)
        except DomainError:
            return ReadEventsResponse(at_head=True).SerializeToString()

    return read


def hasty_retention(original: Any) -> Any:
    """Retention that keeps a fortieth of what it should."""

    def init(retention: Any, *arguments: Any, **options: Any) -> None:
        original(retention, *arguments, **options)
        retention._keep_s = retention._keep_s and retention._keep_s / 40

    return init


def replaced_text(request: Any) -> None:
    """Store another text than was posted."""
    for event in request.events:
        if event.HasField("message_posted") and not event.turn_id:
            event.message_posted.message.parts[0].text = "lost"


def bad_exit(original: Any) -> Any:
    """A process that ends as if something had been wrong."""

    def main() -> None:
        try:
            original()
        finally:
            os._exit(3)

    return main


def growing(original: Any) -> Any:
    """A process that takes 1 MB a second and never gives it back."""
    kept: list[bytearray] = []

    def grow() -> None:
        while True:
            kept.append(bytearray(os.urandom(1 << 20)))
            time.sleep(1.0)

    def main() -> None:
        threading.Thread(target=grow, daemon=True).start()
        original()

    return main
