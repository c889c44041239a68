"""Unary calls on the local channel: they run inline, in the task that awaits them."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, cast

import grpc

from antiphon_server.runtime.channels.local_context import LocalContext, Metadata
from antiphon_server.runtime.rpc.methods import Resolved

Decode = Callable[[Any], Any] | None
CANCELLED_BY_CLIENT = "Locally cancelled by application!"


def decoded(response: Any, deserializer: Decode) -> Any:
    """A response as the caller asked for it: a message, or its bytes."""
    if deserializer is None:
        return response if type(response) is bytes else response.SerializeToString()
    return deserializer(response) if type(response) is bytes else response


def received(request: Any, resolved: Resolved) -> Any:
    """A request as the handler expects it, if the caller serialised it already."""
    if type(request) is bytes and resolved.deserialize is not None:
        return resolved.deserialize(request)
    return request


class LocalCall(grpc.aio.Call):
    """What the calls of all kinds have in common: the client's view of a context."""

    def __init__(self, context: LocalContext, deserializer: Decode) -> None:
        self._context = context
        self._deserializer = deserializer

    def cancelled(self) -> bool:
        """The client cancelled the call."""
        return self._context.outcome is self._context.interrupted is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """The call has ended."""
        return self._context.outcome is not None

    def time_remaining(self) -> float | None:
        """Seconds to the deadline; None without one."""
        return self._context.time_remaining()

    def cancel(self) -> bool:
        """End the call; the handler is cancelled."""
        return self._context.interrupt(grpc.StatusCode.CANCELLED, CANCELLED_BY_CLIENT)

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Call ``callback(call)`` when the call has ended."""
        self._context.add_done_callback(lambda _context: callback(self))

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """What the server sent first."""
        return grpc.aio.Metadata.from_tuple(await self._context.headers())

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """What the server sent with the status."""
        await self._ended()
        return grpc.aio.Metadata.from_tuple(cast(Metadata, self._context.trailing_metadata()))

    async def code(self) -> grpc.StatusCode:
        """The status, when the call has ended."""
        await self._ended()
        return self._context.outcome or grpc.StatusCode.UNKNOWN

    async def details(self) -> str:
        """The status's message, when the call has ended."""
        await self._ended()
        return self._context.details()

    async def wait_for_connection(self) -> None:
        """Return at once: nothing needs to connect."""

    async def _ended(self) -> None:
        if self._context.outcome is None:
            ended = asyncio.Event()
            self._context.add_done_callback(lambda _context: ended.set())
            await ended.wait()

    def _raise_for_outcome(self) -> None:
        if self._context.outcome is grpc.StatusCode.OK:
            return
        if self.cancelled():
            raise asyncio.CancelledError
        raise self._context.error()

    def _response(self) -> Any:
        self._raise_for_outcome()
        return decoded(self._context.response, self._deserializer)


class LocalUnaryCall(LocalCall, grpc.aio.UnaryUnaryCall[Any, Any]):
    """A unary call. It starts when it is first awaited or asked for its end."""

    def __init__(
        self, resolved: Resolved, request: Any, context: LocalContext, deserializer: Decode
    ) -> None:
        self._resolved = resolved
        self._request = request
        self._context = context
        self._deserializer = deserializer
        self._started = False

    def __await__(self) -> Generator[Any, None, Any]:
        """Run the call, or wait for it if it runs already."""
        return (self._again() if self._started else self._run()).__await__()

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Call ``callback(call)`` when the call has ended."""
        super().add_done_callback(callback)
        self._start()

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """What the server sent first."""
        self._start()
        return await super().initial_metadata()

    async def _run(self) -> Any:
        self._started = True
        context = self._context
        if context.outcome is None:
            await context.run(self._resolved.behaviour, self._request)
        if context.outcome is grpc.StatusCode.OK:
            return decoded(context.response, self._deserializer)
        return self._response()

    async def _again(self) -> Any:
        try:
            await self._ended()
        except asyncio.CancelledError:
            self.cancel()
            raise
        return self._response()

    async def _ended(self) -> None:
        self._start()
        await super()._ended()

    def _start(self) -> None:
        """Run the call in a task of its own, because nobody awaits it yet."""
        if not self._started:
            self._started = True
            run = self._context.run(self._resolved.behaviour, self._request)
            self._context.task = asyncio.get_running_loop().create_task(run)
