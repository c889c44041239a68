"""Calls between services of one process: the channel interface, without a socket.

Generated stubs work on it unchanged: metadata both ways, deadlines, cancellation
both ways, interceptors and errors are those of a real channel. Messages pass by
reference, so neither side may change one after it was handed over; but for a caller
that is not a service, validation drops the request's unknown fields in place.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from antiphon_server.runtime.channels.local_call import Decode, LocalUnaryCall, received
from antiphon_server.runtime.channels.local_context import LocalContext, Metadata
from antiphon_server.runtime.channels.local_stream import (
    LocalStreamStreamCall,
    LocalStreamUnaryCall,
    LocalUnaryStreamCall,
)
from antiphon_server.runtime.channels.unconnected_channel import UnconnectedChannel
from antiphon_server.runtime.rpc.methods import MethodInterceptor, MethodTable, Resolved

MetadataSource = Callable[[], Sequence[tuple[str, str]]]


class LocalServer(MethodTable):
    """The services of this process, called in memory through :class:`LocalChannel`."""

    def __init__(self, interceptors: Sequence[MethodInterceptor] = ()) -> None:
        super().__init__(interceptors)
        self.streams: set[LocalContext] = set()

    def channel(self, metadata: MetadataSource | None = None) -> "LocalChannel":
        """A channel whose calls carry ``metadata()`` besides their own."""
        return LocalChannel(self, metadata)

    async def stop(self, grace: float | None) -> None:
        """Wait up to ``grace`` seconds for streams to end, then cancel and await them."""
        tasks = [context.task for context in self.streams if context.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace or 0)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class LocalChannel(UnconnectedChannel):
    """Calls the methods of a :class:`LocalServer` directly."""

    def __init__(self, server: LocalServer, metadata: MetadataSource | None = None) -> None:
        self._server = server
        self._metadata = metadata
        self._streams: set[LocalContext] = set()
        self._closing = asyncio.Event()

    def unary_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Decode = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Calls of a method with one request and one response."""
        return _Unary(self, method, response_deserializer)

    def unary_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Decode = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Calls of a method that answers with a stream."""
        return _Stream(self, method, response_deserializer, LocalUnaryStreamCall)

    def stream_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Decode = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Calls of a method that is asked by a stream."""
        return _Stream(self, method, response_deserializer, LocalStreamUnaryCall)

    def stream_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Decode = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Calls of a method with streams both ways."""
        return _Stream(self, method, response_deserializer, LocalStreamStreamCall)

    def begin(
        self, method: str, metadata: Any, timeout: float | None
    ) -> tuple[Resolved, LocalContext]:
        """Find the method and make the context of one call. Raises UsageError if closed."""
        if self._closing.is_set():
            raise grpc.aio.UsageError("Channel is closed.")
        sent: Metadata = tuple(self._metadata()) if self._metadata is not None else ()
        if metadata:
            own = tuple(metadata)
            keys = {key for key, _ in own}
            sent = tuple(pair for pair in sent if pair[0] not in keys) + own
        return self._server.resolve(method), LocalContext(sent, timeout)

    def own(self, context: LocalContext) -> None:
        """Keep a stream until it ends, so that closing can end it."""
        for owner in (self._streams, self._server.streams):
            owner.add(context)
            context.add_done_callback(owner.discard)

    async def close(self, grace: float | None = None) -> None:
        """Refuse new calls and end open streams, after up to ``grace`` seconds."""
        self._closing.set()
        tasks = [context.task for context in self._streams if context.task is not None]
        if tasks and grace:
            await asyncio.wait(tasks, timeout=grace)
        for context in list(self._streams):
            context.interrupt(grpc.StatusCode.CANCELLED, "Channel closed.")

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """READY until it is closed."""
        connectivity = grpc.ChannelConnectivity
        return connectivity.SHUTDOWN if self._closing.is_set() else connectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Return if the state is another one; otherwise wait until cancelled."""
        if self.get_state() is last_observed_state:
            await self._closing.wait()


class _Unary:
    """One method of one request and one response."""

    __slots__ = ("_channel", "_deserializer", "_method")

    def __init__(self, channel: LocalChannel, method: str, deserializer: Decode) -> None:
        self._channel = channel
        self._method = method
        self._deserializer = deserializer

    def __call__(
        self, request: Any, *, timeout: float | None = None, metadata: Any = None, **_: Any
    ) -> LocalUnaryCall:
        resolved, context = self._channel.begin(self._method, metadata, timeout)
        if type(request) is bytes:
            request = received(request, resolved)
        return LocalUnaryCall(resolved, request, context, self._deserializer)


class _Stream:
    """One method with a stream on either side."""

    __slots__ = ("_channel", "_deserializer", "_kind", "_method")

    def __init__(self, channel: LocalChannel, method: str, deserializer: Decode, kind: Any) -> None:
        self._channel = channel
        self._method = method
        self._deserializer = deserializer
        self._kind = kind

    def __call__(
        self,
        request: Any = None,
        timeout: float | None = None,
        metadata: Any = None,
        *,
        request_iterator: Any = None,
        **_: Any,
    ) -> Any:
        resolved, context = self._channel.begin(self._method, metadata, timeout)
        first = request if request is not None else request_iterator
        call = self._kind(resolved, received(first, resolved), context, self._deserializer)
        self._channel.own(context)
        return call
