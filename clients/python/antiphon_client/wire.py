"""One connection of a bidirectional RPC."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

import grpc

from antiphon_client.errors import AntiphonError, Unauthenticated, Unavailable, connection_lost
from antiphon_client.status import error_of_rpc
from antiphon_client.tokens import TokenSource

Request = TypeVar("Request")
Response = TypeVar("Response")

MAX_AGE_S = 3600.0
OPENING_S = 10.0
SILENCE_S = 40.0
"""So long a stream may say nothing: heartbeats come after 25 s at the latest."""


class Wire(Generic[Request, Response]):
    """A call that is open: send, receive, and a token that is renewed in time.

    ``refresh`` makes the message that renews the stream's token. ``silence`` is how many
    seconds without a frame mean that the connection is dead, ``longest`` how many it may last.
    """

    def __init__(
        self,
        method: grpc.aio.StreamStreamMultiCallable[Request, Response],
        tokens: TokenSource,
        refresh: Callable[[str], Request],
        silence: float,
        longest: float = MAX_AGE_S,
    ) -> None:
        self._longest = longest
        self._method = method
        self._tokens = tokens
        self._refresh = refresh
        self._silence = silence
        self._patience = min(OPENING_S, silence)
        self._writing = asyncio.Lock()
        self._reading: asyncio.Timeout | None = None

    async def __aenter__(self) -> Self:
        self._token = await self._tokens.get()
        metadata = (("authorization", f"Bearer {self._token}"),)
        self._call = self._method(metadata=metadata, timeout=self._longest)
        self._renewal = asyncio.create_task(self._renew(), name="antiphon stream token")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call.cancel()
        self._renewal.cancel()
        await asyncio.wait([self._renewal])

    async def send(self, request: Request) -> None:
        """Write one message. Raises Unavailable if the connection is gone."""
        async with self._writing:
            try:
                await self._call.write(request)
            except grpc.aio.AioRpcError as error:
                raise self._failure(error) from None
            except asyncio.InvalidStateError:
                raise connection_lost("the stream has ended") from None

    async def done(self) -> None:
        """Say that nothing more will be sent. Raises Unavailable if the connection is gone."""
        async with self._writing:
            try:
                await self._call.done_writing()
            except grpc.aio.AioRpcError as error:
                raise self._failure(error) from None
            except asyncio.InvalidStateError:
                raise connection_lost("the stream has ended") from None

    async def receive(self) -> Response:
        """The next frame. Raises AntiphonError when the stream ends, however it ends."""
        try:
            async with asyncio.timeout(self._patience) as self._reading:
                frame = await self._call.read()
        except TimeoutError:
            raise connection_lost("the server does not answer") from None
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from None
        if frame is grpc.aio.EOF:
            raise connection_lost("the server ended the stream")
        self._patience = self._silence
        return cast(Response, frame)

    def give_up(self) -> None:
        """Take the server for dead: who receives is told so now."""
        if self._reading is not None and not self._reading.expired():
            self._reading.reschedule(asyncio.get_running_loop().time())

    def reject_token(self) -> None:
        """The server said in a frame that it does not accept the token any more."""
        self._tokens.reject(self._token)

    def _failure(self, rpc_error: grpc.aio.AioRpcError) -> AntiphonError:
        error = error_of_rpc(rpc_error)
        if isinstance(error, Unauthenticated) and error.of_token:
            self.reject_token()
        return error

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(min(max(self._tokens.usable_for, 0.0), MAX_AGE_S))
            try:
                await self._renew_once()
            except Unavailable:
                await asyncio.sleep(1.0)
            except AntiphonError:  # no other token to be had: the server will end the stream
                return

    async def _renew_once(self) -> None:
        token = await self._tokens.get()
        if token == self._token:  # the server can't be reached; the old one still works
            await asyncio.sleep(1.0)
            return
        await self.send(self._refresh(token))
        self._token = token
