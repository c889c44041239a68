"""Turns on a server: how each has ended, by which model, and why not by those before it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.event_pb2 import Event, TurnState
from antiphon_client import Client
from antiphon_client.status import error_of_status
from antiphon_server.runtime.encoding.ids import new_id
from tests.e2e.server import ServerProcess

DEADLINE_S = 60.0
TOGETHER = 5
"""Conversations that share a connection, which takes a hundred calls at once: so many."""
CALLS = 80
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


@dataclass(slots=True)
class Turn:
    """A turn, and what its conversation's log says of it."""

    turn_id: str
    conversation_id: str
    began: float = field(default_factory=time.monotonic)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Models before the one that has answered, and why."""
    state: str = ""
    model: str = ""
    reason: str = ""
    seconds: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, event: Event) -> None:
        """Take what the log says."""
        if event.HasField("turn_finished"):
            end = event.turn_finished
            self.state = TurnState.Name(end.state).removeprefix("TURN_STATE_")
            self.model = end.model
            self.skipped = [(it.model, it.error_reason) for it in end.skipped_models]
            self.reason = error_of_status(end.error).reason if end.HasField("error") else ""
            self.seconds = time.monotonic() - self.began
            self.over.set()


class Asking:
    """Asks for turns, in one conversation after the other."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._turns: dict[str, Turn] = {}
        self._calls: list[tuple[Any, str, asyncio.Semaphore]] = []
        self._next = cycle(self._calls)
        self._metadata: tuple[tuple[str, str], ...] = ()
        self._client: Client | None = None

    @property
    def over(self) -> int:
        """How many turns have ended."""
        return sum(turn.over.is_set() for turn in self._turns.values())

    async def turn(self, models: Sequence[str], limit_s: float = DEADLINE_S) -> Turn:
        """One of these models, from when it is asked for to its end."""
        turn = await self.begin(models, limit_s)
        async with asyncio.timeout(limit_s + DEADLINE_S):
            await turn.over.wait()
        return turn

    async def begin(self, models: Sequence[str], limit_s: float) -> Turn:
        """One that runs when this returns."""
        stub, conversation_id, calls = next(self._next)
        turn = Turn(new_id("turn"), conversation_id)
        self._turns[turn.turn_id] = turn
        request = DispatchRequest(
            conversation_id=conversation_id,
            turn_id=turn.turn_id,
            parts=[Part(text="go")],
            models=models,
            time_limit=Duration(nanos=round(limit_s * 1e9) % 10**9, seconds=int(limit_s)),
        )
        async with calls:
            await stub.Dispatch(request, metadata=self._metadata, timeout=DEADLINE_S)
        return turn

    async def stop(self, turns: Sequence[Turn]) -> None:
        """Stop these, and wait for their ends."""
        client, calls = self._client, asyncio.Semaphore(CALLS)
        assert client is not None

        async def stop(turn: Turn) -> None:
            async with calls:
                await client.cancel_turn(turn.conversation_id, turn.turn_id)
            await turn.over.wait()

        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*map(stop, turns))

    async def turns(
        self, count: int, models: Sequence[str], limit_s: float = DEADLINE_S
    ) -> list[Turn]:
        """So many at once."""
        return await asyncio.gather(*(self.turn(models, limit_s) for _ in range(count)))

    async def open(self, client: Client, stack: AsyncExitStack, conversations: int) -> None:
        """Make conversations, and follow each."""
        self._client = client
        self._metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
        for number in range(conversations):
            if number % TOGETHER == 0:
                channel = await stack.enter_async_context(
                    grpc.aio.insecure_channel(self._server.address, OWN_CONNECTION)
                )
                calls = asyncio.Semaphore(CALLS)
                reader = await stack.enter_async_context(self._server.client())
            made = await client.create_conversation(policy=TURN_POLICY_PARALLEL)
            task = asyncio.create_task(self._follow(reader, made.conversation_id))
            stack.push_async_callback(_ended, task)
            self._calls.append((DispatcherServiceStub(channel), made.conversation_id, calls))

    async def _follow(self, client: Client, conversation_id: str) -> None:
        events = client.follow(f"conversations/{conversation_id}", earliest=True)
        async with aclosing(aiter(events)) as its:
            async for event in its:
                if (turn := self._turns.get(event.turn_id)) is not None:
                    turn.note(event)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def asking(server: ServerProcess, conversations: int = 20) -> AsyncIterator[Asking]:
    """Somebody who asks for turns in so many conversations, for the block's time."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(server.client())
        it = Asking(server)
        await it.open(client, stack, conversations)
        yield it
