"""A worker in the rig: the library, with a handler that counts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import grpc

from antiphon.dispatcher.v1.worker_pb2 import RefreshWorkerToken
from antiphon.dispatcher.v1.worker_service_pb2 import (
    OpenWorkRequest,
    UpdateWorkRequest,
    WorkRequest,
    WorkResponse,
)
from antiphon_client.errors import AntiphonError
from antiphon_client.tokens import TokenSource
from antiphon_client.wire import SILENCE_S, Wire
from antiphon_client.worker.handlers import Handler
from antiphon_client.worker.session import Profile, Session
from antiphon_client.worker.work import Work
from tests.proofs.workers.cables import Cable, Net, lost
from tests.proofs.workers.counting import QUESTION, SCHEMA, Count
from tests.proofs.workers.judging import Judge
from tests.proofs.workers.place import Place
from tests.proofs.workers.server import Server
from tests.proofs.workers.twins import TwinCall

HANDLER = "counter"
TWIN_SHARE = 0.3
"""So many workers speak by OpenWork and UpdateWork."""


class _Tokens:
    """One that is good for ever."""

    usable_for = 1e6
    renewable = False

    async def get(self) -> str:
        return "token"

    def reject(self, token: str) -> None:
        raise AssertionError("the token was refused")


class _Client:
    tokens = _Tokens()


def _refreshed(token: str) -> WorkRequest:
    return WorkRequest(refresh=RefreshWorkerToken(access_token=token))


class Hand:
    """One life of a worker; ``servers`` are those that it may dial."""

    def __init__(
        self,
        name: str,
        slots: int,
        servers: Callable[[], list[Server]],
        net: Net,
        judge: Judge,
        chance: Random,
    ) -> None:
        self.place, self.slots = Place(name), slots
        self.is_twin = chance.random() < TWIN_SHARE
        self._servers, self._net, self._judge, self._chance = servers, net, judge, chance
        self.cable: Cable | None = None
        profile = Profile("counter", "1", {HANDLER: Handler(HANDLER, self._count)})
        client: Any = _Client()
        self.session = self.place.here(Session, profile, slots, client, self._dial, lambda _: None)
        self.run = self.place.spawn(self.session.run(), f"worker {name}")

    @property
    def worker_id(self) -> str:
        """Its life."""
        return self.session._worker_id

    @asynccontextmanager
    async def _dial(self, tokens: TokenSource) -> AsyncIterator[Wire[WorkRequest, WorkResponse]]:
        call: Any = self._opened_twin if self.is_twin else self._opened
        try:
            async with Wire(call, tokens, _refreshed, SILENCE_S, 86_400.0) as wire:
                yield wire
        except grpc.aio.AioRpcError as error:
            raise AntiphonError(error.code(), str(error.details())) from None

    def _opened(self, metadata: Any, timeout: float) -> Cable:
        server = self._some_server()
        call = lambda: server.open_work(metadata, timeout)  # noqa: E731
        said, told = self._judge.of(self)
        self.cable = self._net.call(self.place, server.place, call, said, told)
        return self.cable

    def _opened_twin(self, metadata: Any, timeout: float) -> TwinCall:
        def opened(request: OpenWorkRequest) -> Cable:
            server = self._some_server()
            call = lambda: server.open_twin(request, metadata, timeout)  # noqa: E731
            self.cable = self._net.call(self.place, server.place, call)
            return self.cable

        async def updated(request: UpdateWorkRequest) -> Any:
            server = self._some_server()
            call = lambda: server.update_twin(request, metadata)  # noqa: E731
            return await self._net.ask(self.place, server.place, call)

        return TwinCall(opened, updated, *self._judge.of(self))

    def _some_server(self) -> Server:
        """Raises AioRpcError if there is none."""
        if not (there := self._servers()):
            raise lost()
        return self._chance.choice(there)

    async def _count(self, work: Work) -> None:
        count, asks = Count.of(work.message), 0
        said = len(work.resumed_text.split())
        self._judge.began(self, work.turn_id, work.attempt)
        for number in range(count.many):
            for what in count.asks_before(number):  # also those that an earlier attempt has asked
                asks += 1
                await self._ask(work, what, asks, count)
            if number >= said:
                await self._say(work, number, count)

    async def _say(self, work: Work, number: int, count: Count) -> None:
        self.place.alive()
        await work.write(f"{number} ")
        if count.every and number % count.every == 0:
            await work.progress(f"at {number}")
            async with work.tool_call("look", {"at": number}) as call:
                call.result("seen")
        await asyncio.sleep(count.gap_ms / 1000)

    async def _ask(self, work: Work, what: str, number: int, count: Count) -> None:
        self.place.alive()
        if what == QUESTION:
            answer = await work.ask(f"What of {number}?", SCHEMA)
            self._judge.asks.answered(work.turn_id, number, answer.content_json)
            return
        others = [(HANDLER, str(count.child))] * count.turns
        ends = await work.delegate_all(others)
        self._judge.asks.delegated(work.turn_id, number, ends)
