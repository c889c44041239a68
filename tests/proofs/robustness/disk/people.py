"""People who go on while the store fails: each call is repeated until it is accepted."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon_client import AntiphonError, Client
from antiphon_client.ids import new_turn_id
from antiphon_client.status import error_of_rpc
from tests.proofs.robustness.history import History

T = TypeVar("T")
CALL_S = 10.0
PAUSE_S = 0.05
# What a client may be told while the store can't be used: all of it says to try again.
ALLOWED = frozenset({"UNAVAILABLE STORE_UNAVAILABLE", "RESOURCE_EXHAUSTED OVERLOADED"})
# What else it may be told by a server that ends, or a network.
BROKEN = frozenset({"UNAVAILABLE ", "CANCELLED ", "UNAVAILABLE DRAINING"})


@dataclass(slots=True)
class People:
    """Some post, some ask. ``answers`` counts how they were refused: ``CODE REASON``.

    ``refused`` are the texts of posts that were not repeated, because nothing was stored.
    """

    client: Client
    conversation_id: str
    history: History
    turns: bool = True
    once: bool = True
    answers: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def works(self) -> Sequence[Coroutine[None, None, None]]:
        """What all of them do."""
        asking = (self.ask("echo"), self.ask("")) if self.turns else ()
        once = (self.post_once(),) if self.once else ()
        return (self.post(), self.post(), *once, *asking)

    async def post(self) -> None:
        """Post message after message, each until it is accepted, until told to stop."""
        context = ContextServiceStub(self.client.channel)
        while not self.stopping.is_set():
            request = PostMessageRequest(
                conversation_id=self.conversation_id,
                parts=[Part(text=f"message {uuid.uuid4()}")],
                request_id=str(uuid.uuid4()),
            )
            answer = await self._insist(
                lambda metadata, it=request: context.PostMessage(  # type: ignore[misc]
                    it, metadata=metadata, timeout=CALL_S
                )
            )
            self.history.accepted_messages.append(answer.message.message_id)
            await asyncio.sleep(0.01)

    async def post_once(self) -> None:
        """Post message after message, none of them twice, until told to stop."""
        number = 0
        while not self.stopping.is_set():
            number += 1
            text = f"once {number}"
            try:
                await self.client.post_message(self.conversation_id, text)
            except AntiphonError as error:
                self.answers[f"{error.code.name} {error.reason}"] += 1
                if error.reason == "STORE_UNAVAILABLE":
                    self.refused.append(text)
                await asyncio.sleep(PAUSE_S)

    async def ask(self, handler: str) -> None:
        """Start turn after turn, each until it is accepted, until told to stop."""
        dispatcher = DispatcherServiceStub(self.client.channel)
        while not self.stopping.is_set():
            request = DispatchRequest(
                conversation_id=self.conversation_id,
                turn_id=new_turn_id(),
                handler=handler,
                parts=[Part(text=" ".join(f"wörd{at}" for at in range(10)))],
            )
            answer = await self._insist(
                lambda metadata, it=request: dispatcher.Dispatch(  # type: ignore[misc]
                    it, metadata=metadata, timeout=CALL_S
                )
            )
            self.history.accepted_turns.append(answer.turn.turn_id)
            await asyncio.sleep(0.1)

    async def _insist(self, call: Callable[[tuple[tuple[str, str]]], Awaitable[T]]) -> T:
        while True:
            try:
                token = await self.client.tokens.get()
                return await call((("authorization", f"Bearer {token}"),))
            except grpc.aio.AioRpcError as rpc_error:
                error = error_of_rpc(rpc_error)
            except AntiphonError as refused:
                error = refused
            self.answers[f"{error.code.name} {error.reason}"] += 1
            await asyncio.sleep(PAUSE_S)
