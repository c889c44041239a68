"""Where bad workers are tried: beside one that behaves well, and a turn of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.callers import channel_to
from tests.e2e.server import ServerProcess
from tests.workers.bare import BareWorker, introduced, token_of
from tests.workers.counting import begun, counted, ended, numbers
from tests.workers.processes import WorkerProcess, invited


@dataclass(slots=True)
class Stage:
    """A server, its operator, and programs that may serve a handler of their own names."""

    server: ServerProcess
    client: Client
    channel: grpc.aio.Channel
    keys: dict[str, str]
    open: list[BareWorker] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    async def token(self, whose: str = "bad") -> str:
        """A token of a new session of that program's."""
        return await token_of(self.channel, self.keys[whose])

    async def worker(
        self, whose: str = "bad", hello: worker_pb2.Hello | None = None, **more: Any
    ) -> BareWorker:
        """A worker of that program that has been taken on."""
        worker = BareWorker(self.channel, await self.token(whose))
        self.open.append(worker)
        await worker.welcomed(hello or introduced(whose, **more))
        return worker

    async def dispatched(self, handler: str = "bad") -> Turn:
        """A turn of the handler, in a conversation of its own."""
        conversation = await self.client.create_conversation()
        it = await self.client.dispatch(conversation.conversation_id, "go", handler=handler)
        self.turns.append(it.turn)
        return it.turn

    async def assigned(self, worker: BareWorker, handler: str = "bad") -> Any:
        """A turn that the worker has, as it was assigned."""
        turn = await self.dispatched(handler)
        assign = await worker.told("assign")
        assert assign.turn_id == turn.turn_id
        return assign

    async def done(self, assign: Any) -> tuple[str, int, list[str]]:
        """How the turn has ended: its state, the attempt, and what was said."""
        turn = Turn(turn_id=assign.turn_id, conversation_id=assign.conversation_id)
        it = await ended(self.client, turn)
        said = await numbers(self.client, assign.conversation_id)
        state = event_pb2.TurnState.Name(it.state).removeprefix("TURN_STATE_")
        return state, it.attempt, said

    @asynccontextmanager
    async def bystanders(self) -> AsyncIterator[None]:
        """A turn of the good worker's goes on through the block, and another is served behind it.

        What the block has opened is closed, and what it has begun stopped.
        """
        turn = await begun(self.client, "40 20")
        try:
            yield
        finally:
            for worker in self.open:
                worker.cut()
            for begun_here in self.turns:
                await self.client.cancel_turn(begun_here.conversation_id, begun_here.turn_id)
            self.open.clear()
            self.turns.clear()
        done = await ended(self.client, turn)
        assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
        assert await numbers(self.client, turn.conversation_id) == counted(40)
        after = await ended(self.client, await begun(self.client, "3 1"))
        assert (after.state, after.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)


@asynccontextmanager
async def staged(home: Path, *, variables: dict[str, str] | None = None) -> AsyncIterator[Stage]:
    """All of them."""
    async with (
        ServerProcess(home / "server", variables=variables) as server,
        server.client() as client,
        channel_to(server) as channel,
    ):
        keys = {it: await invited(server, it, it) for it in ("bad", "other", "counter")}
        async with WorkerProcess(server.address, keys["counter"], home / "worker.log"):
            yield Stage(server, client, channel, keys)
        assert server.defects == []
