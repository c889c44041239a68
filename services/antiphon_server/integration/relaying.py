"""Relays on the wire: one stream that goes both ways, and its twin of a stream and calls.

Streams are coroutines that write, not generators, as those of the events are.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

import grpc

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon_server.integration import relay_encoding as encoding
from antiphon_server.integration.connections.ports import RelayAccess
from antiphon_server.integration.connections.relay import Action, Adopt, Relay, Report, Speaker
from antiphon_server.integration.connections.relay_frames import Close, Ended
from antiphon_server.integration.connections.relays import Relays
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.access.principal import Principal, current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.duplex import first_step, not_first, open_stream, serve_duplex
from antiphon_server.runtime.rpc.interceptors.authentication import bearer_token
from antiphon_server.runtime.rpc.slow_readers import WRITE_TIMEOUT_S, TimedWriter

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Elsewhere(Protocol):
    """Other servers, which may have a relay that a call here is about."""

    async def done(self, method: str, request: Any, context: Context) -> bool:
        """Whether another server has the relay, and has done what the call asks.

        Raises DomainError NOT_FOUND, DRAINING, and what that server answers.
        """
        ...


class Relaying:
    """Serves relays. A client that reads nothing for ``read_within_s`` seconds loses its own."""

    def __init__(
        self,
        relays: Relays,
        access: RelayAccess,
        elsewhere: Elsewhere | None = None,
        read_within_s: float = WRITE_TIMEOUT_S,
    ) -> None:
        self._relays, self._access, self._elsewhere = relays, access, elsewhere
        self._read_within_s = read_within_s

    async def relay(self, context: Context) -> None:
        """Serve a stream that goes both ways, until the relay or the client ends it."""
        await open_stream(context)
        request: pb.OpenRelayRequest | None = await first_step(context, "open")
        if request is None:
            return
        await self._access.admit(current_principal(), request.workspace_id)
        async with self._opened(request, context) as relay:
            await serve_duplex(
                self._obey_all(relay, context), self._deliver(relay, context, pb.RelayResponse)
            )

    async def open(self, request: pb.OpenRelayRequest, context: Context) -> None:
        """Serve a stream to the client alone."""
        await open_stream(context)
        async with self._opened(request, context) as relay:
            await self._deliver(relay, context, pb.OpenRelayResponse)

    async def update(self, request: pb.UpdateRelayRequest, context: Context) -> None:
        """Do what a call asks of a relay, here or where it is."""
        if await self._done_elsewhere("UpdateRelay", request, context):
            return
        relay = self._relays.find(current_principal(), request.relay_id)
        actions = [await self._action(it, relay.speaker.principal) for it in request.actions]
        await relay.update(request.sequence, actions)

    async def cancel(self, request: pb.CancelRelayRequest, context: Context) -> None:
        """End a relay, here or where it is."""
        if not await self._done_elsewhere("CancelRelay", request, context):
            relay = self._relays.find(current_principal(), request.relay_id)
            relay.end(Ended(Close.CANCELLED))

    async def _done_elsewhere(self, method: str, request: Any, context: Context) -> bool:
        return self._elsewhere is not None and await self._elsewhere.done(method, request, context)

    @asynccontextmanager
    async def _opened(self, request: pb.OpenRelayRequest, context: Context) -> AsyncIterator[Relay]:
        principal = current_principal()
        token = bearer_token(context) if principal.kind == "user" else ""
        name, limit_s = SourceName(request.name), encoding.limit_s(request)
        speaker = Speaker(principal, token)
        async with self._relays.open(speaker, request.workspace_id, name, limit_s) as relay:
            yield relay

    async def _obey_all(self, relay: Relay, context: Context) -> None:
        while True:
            request = await context.read()
            if request is grpc.aio.EOF:
                return
            await relay.act(await self._action(request, relay.speaker.principal))

    async def _action(self, request: pb.RelayRequest, speaker: Principal) -> Action:
        match request.WhichOneof("action"):
            case "message":
                return encoding.message(request.message)
            case "progress":
                return Report()
            case "refresh":
                return Adopt(await self._verified(request.refresh.access_token, speaker))
            case "open":
                raise not_first("open")
            case _:
                raise DomainError(Reason.UNIMPLEMENTED)

    async def _verified(self, token: str, speaker: Principal) -> Speaker | DomainError:
        """Who speaks from now on, or why the token is a bad one."""
        try:
            principal = await self._access.verified(token)
        except DomainError as error:
            return error
        same = principal.user_id == speaker.user_id
        return Speaker(principal, token) if same else DomainError(Reason.TOKEN_INVALID)

    async def _deliver(self, relay: Relay, context: Context, kind: type[encoding.Response]) -> None:
        with TimedWriter(context, self._read_within_s, relay.give_up) as writer:
            async for frame in relay.frames():
                await writer.write(encoding.response(frame, kind))
