"""Streaming calls on the local channel: the handler runs in a task of its own."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable
from typing import Any

import grpc

from antiphon_server.runtime.channels.local_call import Decode, LocalCall, decoded, received
from antiphon_server.runtime.channels.local_context import LocalContext, requests_of
from antiphon_server.runtime.channels.local_pipe import Pipe
from antiphon_server.runtime.rpc.methods import Resolved

Requests = AsyncIterable[Any] | Iterable[Any] | None
log = logging.getLogger(__name__)


class _StreamCall(LocalCall):
    """Starts the handler; it must not be kept alive by it, so that __del__ can stop it."""

    def __init__(
        self, resolved: Resolved, request: Any, context: LocalContext, deserializer: Decode
    ) -> None:
        super().__init__(context, deserializer)
        self._resolved = resolved
        context.inline = False
        if resolved.method.response_streaming:
            context.responses = Pipe()
        if resolved.method.request_streaming:
            context.requests = Pipe()
            run = context.run(resolved.behaviour, requests_of(context))
        else:
            run = context.run(resolved.behaviour, request)
        task = asyncio.get_running_loop().create_task(run, name=resolved.method.name)
        context.task = task
        task.add_done_callback(lambda _task: _release(context))

    def __del__(self) -> None:
        """Cancel a call that nobody can read any more."""
        context: LocalContext | None = getattr(self, "_context", None)
        if context is not None and context.outcome is None:
            context.interrupt(grpc.StatusCode.CANCELLED, "Cancelled upon garbage collection!")


class _Writing(_StreamCall):
    """The half of a call that sends a stream of requests."""

    def __init__(
        self, resolved: Resolved, requests: Requests, context: LocalContext, deserializer: Decode
    ) -> None:
        super().__init__(resolved, None, context, deserializer)
        self._writing = True
        if requests is not None:
            feed = asyncio.get_running_loop().create_task(_feed(requests, context, resolved))
            context.add_done_callback(lambda _context: feed.cancel())

    async def write(self, request: Any) -> None:
        """Send a request; waits while the handler lags."""
        pipe = self._context.requests
        if not self._writing or self.done() or pipe is None:
            raise asyncio.InvalidStateError("RPC already finished.")
        try:
            await pipe.put(received(request, self._resolved))
        except asyncio.CancelledError:
            self.cancel()
            raise

    async def done_writing(self) -> None:
        """Say that no more requests follow."""
        self._writing = False
        if self._context.requests is not None:
            self._context.requests.close()


class _Reading(_StreamCall):
    """The half of a call that receives a stream of responses."""

    async def read(self) -> Any:
        """The next response; EOF at the end. Raises AioRpcError if the call failed."""
        pipe = self._context.responses
        assert pipe is not None
        try:
            message = await pipe.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if message is grpc.aio.EOF:
            self._raise_for_outcome()
            return message
        return decoded(message, self._deserializer)

    def __aiter__(self) -> AsyncIterator[Any]:
        """The responses. Closing the iterator ends the call."""
        return _Responses(self)


class _Responses(AsyncIterator[Any]):
    """Iterates a call without being kept by it."""

    def __init__(self, call: _Reading) -> None:
        self._call = call

    async def __anext__(self) -> Any:
        message = await self._call.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message

    async def aclose(self) -> None:
        """End the call."""
        self._call.cancel()


class LocalUnaryStreamCall(_Reading, grpc.aio.UnaryStreamCall[Any, Any]):
    """One request, a stream of responses."""


class LocalStreamStreamCall(_Writing, _Reading, grpc.aio.StreamStreamCall[Any, Any]):
    """Streams both ways."""


class LocalStreamUnaryCall(_Writing, grpc.aio.StreamUnaryCall[Any, Any]):
    """A stream of requests, one response."""

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for the response."""
        return self._wait().__await__()

    async def _wait(self) -> Any:
        try:
            await self._ended()
        except asyncio.CancelledError:
            self.cancel()
            raise
        return self._response()


def _release(context: LocalContext) -> None:
    """End a call whose handler's task has ended, even if it never began."""
    context.task = None
    context.finish(grpc.StatusCode.CANCELLED, "The call was cancelled.")


async def _feed(requests: Any, context: LocalContext, resolved: Resolved) -> None:
    """Send what an iterable yields, as a real channel does."""
    assert context.requests is not None
    try:
        if isinstance(requests, AsyncIterable):
            async for request in requests:
                await context.requests.put(received(request, resolved))
        else:
            for request in requests:
                await context.requests.put(received(request, resolved))
        context.requests.close()
    except Exception:
        log.exception("an iterator of requests failed")
        context.interrupt(grpc.StatusCode.CANCELLED, "The iterator of requests failed.")
