"""Calls about turns, answered by the server that has the conversation's lane."""

import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import grpc

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon_server.dispatcher.calls import Caller, TurnCalls
from antiphon_server.dispatcher.model import ConversationId, Place
from antiphon_server.dispatcher.ports import LaneOwners
from antiphon_server.runtime.channels.server_ways import ServerWays, passed_on, was_forwarded
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import LANE
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

T = TypeVar("T")
DEADLINE_S = 60.0
AGAIN_S = 0.25
_UNREACHABLE = (
    "the server at %s has the conversation and can't be reached from here: if it runs, its "
    "ANTIPHON_NODE_ADDRESS must say where, and certificates must fit that"
)
log = logging.getLogger(__name__)


class Settling(Protocol):
    """Turns that others have left behind, on their way into this server's hands."""

    async def settled(self, conversation_id: ConversationId) -> None:
        """Return when none of the conversation are on their way any more."""
        ...


async def _nothing(_conversation_id: ConversationId) -> None:
    """Where nobody follows."""


@dataclass(eq=False)
class _Unreachable(Exception):
    """The server that has the conversation takes no call; its ``address`` is "" for none yet."""

    address: str
    error: DomainError


class RoutedCalls:
    """A :class:`~antiphon_server.dispatcher.calls.TurnCalls` for one of several servers.

    A call about a conversation of another server is forwarded there, with what its caller
    brought and where that is, and never a second time. One that can't be reached is tried again,
    until it is back or its lease has run out and its lanes are free. What a server has left
    behind in a conversation is in hand before anything else is decided there.
    ``open_channel`` leads to an address; ``clock`` is in seconds. After a stop elsewhere this
    server's log does ``catch_up`` before that is answered: streams here deliver nothing older.
    """

    def __init__(
        self,
        here: TurnCalls,
        owners: LaneOwners,
        settling: Settling,
        open_channel: Callable[[str], grpc.aio.Channel],
        clock: Callable[[], float] = time.monotonic,
        catch_up: Callable[[ConversationId], Awaitable[None]] = _nothing,
    ) -> None:
        self._catch_up = catch_up
        self._here = here
        self._owners = owners
        self._settling = settling
        self._ways = ServerWays(open_channel, clock)

    async def dispatch(self, request: pb.DispatchRequest, caller: Caller) -> pb.DispatchResponse:
        """See :meth:`TurnCalls.dispatch`. Repeated or not, it is one turn."""
        if not request.turn_id:
            named = pb.DispatchRequest(turn_id=new_id("turn"))
            named.MergeFrom(request)
            request = named
        here, place = self._here.dispatch, self._owners.place
        return await self._routed(request, caller, here, "Dispatch", place)

    async def get(self, request: pb.GetTurnRequest, caller: Caller) -> pb.GetTurnResponse:
        return await self._routed(request, caller, self._here.get, "GetTurn", self._owners.find)

    async def list(self, request: pb.ListTurnsRequest, caller: Caller) -> pb.ListTurnsResponse:
        return await self._routed(request, caller, self._here.list, "ListTurns", self._owners.find)

    async def cancel(self, request: pb.CancelTurnRequest, caller: Caller) -> pb.CancelTurnResponse:
        here, place = self._here.cancel, self._owners.place
        answer = await self._routed(request, caller, here, "CancelTurn", place)
        with contextlib.suppress(DomainError):  # stopped it is
            await self._catch_up(ConversationId(request.conversation_id))
        return answer

    async def decide(
        self, request: pb.DecideToolCallRequest, caller: Caller
    ) -> pb.DecideToolCallResponse:
        here, place = self._here.decide, self._owners.place
        return await self._routed(request, caller, here, "DecideToolCall", place)

    async def answer(
        self, request: pb.AnswerToolCallRequest, caller: Caller
    ) -> pb.AnswerToolCallResponse:
        here, place = self._here.answer, self._owners.place
        return await self._routed(request, caller, here, "AnswerToolCall", place)

    async def routed(
        self,
        request: Any,
        caller: Caller,
        here: Callable[[Any, Caller], Awaitable[T]],
        method: str,
        stub: Callable[[grpc.aio.Channel], Any],
    ) -> T:
        """Answer a call of another service about a conversation's turns, by the same way."""
        return await self._routed(request, caller, here, method, self._owners.place, stub)

    async def close(self) -> None:
        """Close the channels to other servers."""
        await self._ways.close()

    async def _routed(
        self,
        request: Any,
        caller: Caller,
        here: Callable[[Any, Caller], Awaitable[T]],
        method: str,
        look_up: Callable[[ConversationId], Awaitable[Place | None]],
        stub: Callable[[grpc.aio.Channel], Any] = DispatcherServiceStub,
    ) -> T:
        conversation_id = ConversationId(request.conversation_id)

        async def once() -> T:
            place = await look_up(conversation_id)
            if place is None:
                return await here(request, caller)
            if place.ours:
                await self._settling.settled(conversation_id)
                return await here(request, caller)
            if was_forwarded(caller.metadata):
                raise _draining()
            answer: T = await self._forwarded(place.address, method, request, caller, stub)
            return answer

        try:
            return await retrying(once, LANE, _Unreachable)
        except _Unreachable as error:
            log.warning(_UNREACHABLE, error.address or "(it does not listen)")
            raise error.error from None

    async def _forwarded(
        self,
        address: str,
        method: str,
        request: Any,
        caller: Caller,
        stub: Callable[[grpc.aio.Channel], Any],
    ) -> Any:
        if not address:  # it does not listen yet
            raise _Unreachable(address, _draining())
        try:
            with remote_errors():
                call = getattr(stub(await self._ways.to(address)), method)
                metadata = passed_on(caller.metadata)
                return await call(request, metadata=metadata, timeout=DEADLINE_S)
        except DomainError as error:
            if error.reason is Reason.DRAINING:
                raise _Unreachable(address, error) from error
            raise


def _draining() -> DomainError:
    return DomainError(Reason.DRAINING, retry_after=AGAIN_S)
