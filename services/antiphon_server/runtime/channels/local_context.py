"""The server's view of a call on the local channel."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, NoReturn, cast

import grpc

from antiphon_server.runtime.channels.local_pipe import Pipe
from antiphon_server.runtime.rpc.methods import Behaviour

Metadata = tuple[tuple[str, str | bytes], ...]
log = logging.getLogger(__name__)


class LocalContext(grpc.aio.ServicerContext[Any, Any]):
    """State of one call: what both sides know of it, and how it ended.

    ``timeout`` is in seconds from now. ``outcome`` is None until the call has
    ended. ``inline`` says that the handler runs in its caller's task, which then
    waits for it in any case.
    """

    # Defaults stand on the class, so that a call costs only what it uses.
    outcome: grpc.StatusCode | None = None
    inline = True
    response: Any = None
    sent_metadata: Metadata = ()
    task: asyncio.Task[Any] | None = None
    requests: Pipe | None = None
    responses: Pipe | None = None
    interrupted: grpc.StatusCode | None = None
    _code: grpc.StatusCode | None = None
    _details = ""
    _trailing: Metadata = ()
    _callbacks: list[Callable[[Any], object]] | None = None
    _deadline: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _headers: asyncio.Event | None = None

    def __init__(self, metadata: Metadata, timeout: float | None) -> None:
        self._metadata = metadata
        if timeout is not None:
            self._limit(timeout)

    # What a handler uses.

    def invocation_metadata(self) -> grpc.aio.Metadata:
        """What the client sent, as a tuple of pairs: the same shape as a real server's."""
        return cast(grpc.aio.Metadata, self._metadata)

    async def read(self) -> Any:
        """The next request, or EOF."""
        if self.requests is None:
            raise grpc.aio.UsageError("the request of this RPC is not a stream")
        return await self.requests.get()

    async def write(self, message: Any) -> None:
        """Send a response; waits while the reader lags."""
        if self.responses is None:
            raise grpc.aio.UsageError("the response of this RPC is not a stream")
        self._send_headers()
        if not await self.responses.put(message):
            raise grpc.aio.UsageError("RPC already finished.")

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Send metadata before the first response."""
        self.sent_metadata = tuple(initial_metadata)
        self._send_headers()

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> NoReturn:
        """End the call with an error."""
        if self.interrupted is None:
            self._code = code
            self._details = details or self._details
            self._trailing = tuple(trailing_metadata) or self._trailing
        raise grpc.aio.AbortError("Locally aborted.")

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """End the call with an error."""
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Set what is sent with the status."""
        self._trailing = tuple(trailing_metadata)

    def set_code(self, code: grpc.StatusCode) -> None:
        """Set the status to end with."""
        self._code = code

    def set_details(self, details: str) -> None:
        """Set the status's message."""
        self._details = details

    def trailing_metadata(self) -> grpc.aio.Metadata:
        """What is sent with the status."""
        return cast(grpc.aio.Metadata, self._trailing)

    def code(self) -> grpc.StatusCode:
        """The status that was set, OK if none was."""
        return self._code or grpc.StatusCode.OK

    def details(self) -> str:
        """The status's message."""
        return self._details

    def time_remaining(self) -> float:
        """Seconds to the deadline; None without one."""
        if self._deadline is None:
            return cast(float, None)
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    def cancelled(self) -> bool:
        """The client gave up or its deadline passed."""
        return self.interrupted is not None

    def done(self) -> bool:
        """The call has ended."""
        return self.outcome is not None

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Call ``callback(context)`` when the call has ended."""
        if self.outcome is not None:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def peer(self) -> str:
        """Where the client is."""
        return "local"

    def peer_identities(self) -> Iterable[bytes] | None:
        """Nothing: there is no transport."""
        return None

    def peer_identity_key(self) -> str | None:
        """Nothing: there is no transport."""
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Nothing: there is no transport."""
        return {}

    def set_compression(self, compression: grpc.Compression) -> None:
        """Do nothing: there are no bytes."""

    def disable_next_message_compression(self) -> None:
        """Do nothing: there are no bytes."""

    # What the client's side uses.

    async def run(self, behaviour: Behaviour, request: Any) -> None:
        """Run the handler to its end and note how it ended.

        Raises CancelledError only if the running task is being cancelled by
        somebody other than this call.
        """
        self.task = asyncio.current_task()
        try:
            self.response = await behaviour(request, self)
            self.finish(self._code or grpc.StatusCode.OK)
        except grpc.aio.AbortError:
            self.finish(self._code or grpc.StatusCode.UNKNOWN)
        except asyncio.CancelledError:
            self.finish(grpc.StatusCode.CANCELLED, "The call was cancelled.")
            if self.interrupted is None and self.task and self.task.cancelling():
                raise
        except Exception:
            log.exception("a handler failed outside of the error interceptor")
            self.finish(grpc.StatusCode.UNKNOWN, "The handler failed.")
        if self.interrupted is not None and self.task and self.task.uncancel():
            raise asyncio.CancelledError

    def interrupt(self, code: grpc.StatusCode, details: str) -> bool:
        """End the call from the client's side: by cancel or deadline. False if it has ended."""
        if self.outcome is not None or self.interrupted is not None:
            return False
        self.interrupted = code
        self._code, self._details = code, details
        if not self.inline or self.task is None:
            self.finish(code, details, discard=True)
        if self.task is not None:
            self.task.cancel()
        return True

    def finish(self, code: grpc.StatusCode, details: str = "", *, discard: bool = False) -> None:
        """Note the outcome, once, and wake everybody who waits for it."""
        if self.outcome is not None:
            return
        self.outcome = self.interrupted or code
        self._details = self._details or details
        if self._timer is not None:
            self._timer.cancel()
        for pipe, drop in ((self.requests, True), (self.responses, discard)):
            if pipe is not None:
                pipe.close(discard=drop)
        if self._headers is not None:
            self._headers.set()
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)

    async def headers(self) -> Metadata:
        """The initial metadata, as soon as it was sent."""
        if self._headers is None:
            self._headers = asyncio.Event()
        if self.outcome is None:
            await self._headers.wait()
        return self.sent_metadata

    def error(self) -> grpc.aio.AioRpcError:
        """The error that the client sees."""
        return grpc.aio.AioRpcError(
            self.outcome or grpc.StatusCode.UNKNOWN,
            grpc.aio.Metadata.from_tuple(self.sent_metadata),
            grpc.aio.Metadata.from_tuple(self._trailing),
            details=self._details,
        )

    def _limit(self, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + timeout
        self._timer = loop.call_at(
            self._deadline,
            self.interrupt,
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "Deadline Exceeded",
        )

    def _send_headers(self) -> None:
        if self._headers is None:
            self._headers = asyncio.Event()
        self._headers.set()


async def requests_of(context: LocalContext) -> AsyncIterator[Any]:
    """The request stream for handlers that iterate."""
    while (message := await context.read()) is not grpc.aio.EOF:
        yield message
