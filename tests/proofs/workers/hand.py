"""A worker in the rig: the library, with a handler that counts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

from antiphon.dispatcher.v1.worker_pb2 import RefreshWorkerToken
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest, WorkResponse
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
from tests.proofs.workers.server import WORKER, Server

HANDLER = "counter"


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
        def call(metadata: Any, timeout: float) -> Any:
            there = self._servers()
            if not there:
                raise lost()
            server = self._chance.choice(there)

            def opened() -> Any:
                server.set_caller(WORKER)
                return server.open_work(metadata, timeout)

            said, told = self._judge.of(self)
            self.cable = self._net.call(self.place, server.place, opened, said, told)
            return self.cable

        refresh = lambda token: WorkRequest(refresh=RefreshWorkerToken(access_token=token))  # noqa: E731
        try:
            wire = Wire(cast(Any, call), tokens, refresh, SILENCE_S, 86_400.0)
            async with wire:
                yield wire
        except Exception as error:
            import grpc

            if isinstance(error, grpc.aio.AioRpcError):
                raise AntiphonError(error.code(), str(error.details())) from None
            raise

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
        await self.place.alive()
        await work.write(f"{number} ")
        if count.every and number % count.every == 0:
            await work.progress(f"at {number}")
            async with work.tool_call("look", {"at": number}) as call:
                call.result("seen")
        await asyncio.sleep(count.gap_ms / 1000)

    async def _ask(self, work: Work, what: str, number: int, count: Count) -> None:
        await self.place.alive()
        if what == QUESTION:
            answer = await work.ask(f"What of {number}?", SCHEMA)
            self._judge.asks.answered(work.turn_id, number, answer.content_json)
            return
        others = [(HANDLER, str(count.child))] * count.turns
        ends = await work.delegate_all(others)
        self._judge.asks.delegated(work.turn_id, number, ends)
