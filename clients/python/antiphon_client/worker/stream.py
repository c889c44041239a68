"""One stream of a worker, from its hello to its end."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import grpc

from antiphon.dispatcher.v1.worker_pb2 import Heartbeat, Hello, Welcome
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest, WorkResponse
from antiphon_client.errors import AntiphonError, Unauthenticated, connection_lost
from antiphon_client.tokens import TokenSource
from antiphon_client.worker.clock import now
from antiphon_client.worker.dialing import Dial
from antiphon_client.worker.held import Held
from antiphon_client.worker.outgoing import Outgoing

LOG = logging.getLogger("antiphon_client.worker")
_STANDSTILL_S = 1.0


class Stream:
    """Says hello, and then what there is to say; takes what the server says to ``held``.

    ``welcomed`` is told when the server has taken the worker in.
    """

    def __init__(
        self,
        held: Held,
        outgoing: Outgoing,
        welcomed: Callable[[Welcome], None],
    ) -> None:
        self._held, self._outgoing = held, outgoing
        self._welcomed = welcomed
        self._beats: deque[float] = deque()
        self._is_beat_due = False
        self.is_last = False
        """Whether it is to end when all is said."""
        self._told_to_leave = asyncio.Event()
        self.reconnect_at = 0.0
        """When to open another one, by :func:`now`, if the server has said that."""

    async def run(self, dial: Dial, tokens: TokenSource, hello: Callable[[], Hello]) -> None:
        """Ends by an exception only: AntiphonError, or what ``welcomed`` raises."""
        async with dial(tokens) as wire:
            self._wire = wire
            await wire.send(WorkRequest(hello=hello()))
            welcome = (await wire.receive()).welcome
            self._held.welcomed(welcome)
            self._outgoing.open()
            try:
                self._welcomed(welcome)
                await _first_to_fail(self._read(), self._leave(), self._beat(), self._write())
            except Unauthenticated as error:
                if error.of_token:
                    wire.reject_token()
                raise
            finally:
                self._outgoing.close()

    def end(self) -> None:
        """Say nothing more than what there is to say now, and let the server end the stream."""
        self.is_last = True
        self._outgoing.news.set()

    async def _read(self) -> None:
        while True:
            self._take(await self._wire.receive())

    def _take(self, frame: WorkResponse) -> None:
        held = self._held
        match frame.WhichOneof("frame"):
            case "ack":
                held.acked(frame.ack)
            case "beat":
                held.renewed(frame.beat.turn_ids, self._beats.popleft() if self._beats else 0.0)
            case "assign":
                held.assigned(frame.assign)
            case "answer":
                held.answered(frame.answer)
            case "cancel":
                held.cancelled(frame.cancel)
            case "revoke":
                held.revoked(frame.revoke)
            case "rejected":
                held.rejected(frame.rejected)
            case "draining":
                self.reconnect_at = now() + frame.draining.reconnect_after.ToNanoseconds() / 1e9
                self._told_to_leave.set()
            case _:  # a newer server's
                pass

    async def _leave(self) -> None:
        """The server would end the stream itself: until then it takes what is said."""
        await self._told_to_leave.wait()
        await asyncio.sleep(max(0.0, self.reconnect_at - now()))
        raise connection_lost("the server is about to stop")

    async def _write(self) -> None:
        try:
            while not self.is_last:
                await self._outgoing.news.wait()
                self._outgoing.news.clear()
                while (frame := self._heartbeat() or self._outgoing.next()) is not None:
                    await self._wire.send(frame)
            await self._wire.done()
        except AntiphonError:
            return  # the reader learns of it too, and why

    def _heartbeat(self) -> WorkRequest | None:
        """One that is due. Leases count from when it is sent, whenever its answer is read."""
        if not self._is_beat_due:
            return None
        self._is_beat_due = False
        self._beats.append(now())
        return WorkRequest(heartbeat=Heartbeat(turn_ids=self._held.attached()))

    async def _beat(self) -> None:
        terms = self._held.terms
        while True:
            self._is_beat_due = True
            self._outgoing.news.set()
            for _ in range(2):
                began = now()
                await asyncio.sleep(terms.heartbeat_s / 2)
                _note_standstill(now() - began - terms.heartbeat_s / 2)
                if self._beats and now() - self._beats[0] >= terms.silence_s:
                    raise connection_lost("the server does not answer heartbeats")


def _note_standstill(seconds: float) -> None:
    if seconds > _STANDSTILL_S:
        LOG.warning(
            "nothing ran here for %.1f s: what computes, or waits without `await`, belongs into a "
            "thread (asyncio.to_thread), or its turns are soon somebody else's",
            seconds,
        )


async def _first_to_fail(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all side by side until one fails; raises that, the earlier part's if several do."""
    tasks = [asyncio.create_task(part, name="antiphon worker stream") for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        failures = [task.exception() for task in tasks if not task.cancelled()]
    raise next(filter(None, failures), None) or AntiphonError(
        grpc.StatusCode.INTERNAL, "a stream ended without a reason"
    )
