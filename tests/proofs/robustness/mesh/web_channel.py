"""A channel that speaks grpc-web in HTTP/1.1, as browsers do: the Python client works on it.

Unary calls and streams from the server. Subscribe is made of its twin, Follow and
UpdateFollow; there is nothing that Converse could be made of.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import grpc

from antiphon.events.v1 import event_service_pb2 as events
from antiphon_client.address import service_config
from antiphon_server.runtime.channels.unconnected_channel import UnconnectedChannel
from tests.mesh.grpc_web import GrpcWeb
from tests.proofs.robustness.mesh.web_status import lost, outcome

EVENTS = "/antiphon.events.v1.EventService/"
AGAIN_S, AGAIN_FACTOR, TRIES = 0.2, 2.5, 5
_AGAIN = frozenset(
    f"/{it['service']}/{it['method']}"
    for config in json.loads(service_config())["methodConfig"]
    for it in config["name"]
)
_BROKEN = (aiohttp.ClientError, asyncio.IncompleteReadError, OSError)


class WebChannel(UnconnectedChannel):
    """Calls of one page; what may be sent twice is, where the other channels do so, too."""

    def __init__(self, port: int) -> None:
        self._web = GrpcWeb(port)
        self._opened = False
        self._streams: set[WebStream] = set()

    def unary_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        **_: Any,
    ) -> Any:
        """Calls of a method with one request and one response."""

        async def call(request: Any, *, timeout: float, metadata: Any = (), **_: Any) -> Any:
            web, headers = await self._page(), _headers(metadata, timeout)

            async def once() -> Any:
                return await _once(web, method, request, headers, response_deserializer)

            try:
                async with asyncio.timeout(timeout):
                    return await _insist(method, once)
            except TimeoutError:
                raise lost("Deadline Exceeded", grpc.StatusCode.DEADLINE_EXCEEDED) from None

        return call

    def unary_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        **_: Any,
    ) -> Any:
        """Calls of a method that answers with a stream."""

        def call(request: Any, *, timeout: float, metadata: Any = (), **_: Any) -> WebStream:
            stream = WebStream(
                self, method, response_deserializer, _headers(metadata, timeout), timeout
            )
            stream.begin(request)
            return stream

        return call

    def stream_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        **_: Any,
    ) -> Any:
        """Subscribe alone."""

        def call(*, timeout: float, metadata: Any = (), **_: Any) -> "WebSubscription":
            assert method == EVENTS + "Subscribe", method
            headers = _headers(metadata, timeout)
            return WebSubscription(self, EVENTS + "Follow", response_deserializer, headers, timeout)

        return call

    def stream_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        **_: Any,
    ) -> Any:
        """The contracts have none."""
        raise NotImplementedError(method)

    async def _page(self) -> GrpcWeb:
        if not self._opened:
            self._opened = True
            await self._web.__aenter__()
        return self._web

    async def close(self, grace: float | None = None) -> None:
        """End what is under way."""
        for stream in list(self._streams):
            stream.cancel()
        if self._opened:
            await self._web.__aexit__()


class WebStream:
    """A stream from the server, read as grpc.aio's are."""

    def __init__(
        self,
        channel: WebChannel,
        method: str,
        decode: Callable[[bytes], Any],
        headers: dict[str, str],
        timeout: float,
    ) -> None:
        self._channel = channel
        self._method = method
        self._decode = decode
        self._headers = headers
        self._timeout = timeout
        self._frames: asyncio.Queue[Any] = asyncio.Queue(16)
        self._begun: asyncio.Task[None] | None = None
        self._cancelled = False
        self._answers = asyncio.Event()

    def begin(self, request: Any) -> None:
        """Send it."""
        self._begun = asyncio.create_task(self._run(request))
        self._channel._streams.add(self)

    async def read(self) -> Any:
        """The next message, or EOF. Raises AioRpcError; CancelledError once it is cancelled."""
        if self._cancelled:
            raise asyncio.CancelledError
        frame = await self._frames.get()
        if frame is grpc.aio.EOF or isinstance(frame, BaseException):
            self._frames.put_nowait(frame)
        if isinstance(frame, BaseException):
            raise frame
        return frame

    def cancel(self) -> bool:
        """Close the connection."""
        self._cancelled = True
        self._channel._streams.discard(self)
        if self._begun is not None:
            self._begun.cancel()
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(asyncio.CancelledError())
        return True

    async def _run(self, request: Any) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._frames.put(await self._carry(request))
        except TimeoutError:
            late = lost("Deadline Exceeded", grpc.StatusCode.DEADLINE_EXCEEDED)
            await self._frames.put(late)
        except _BROKEN as error:
            await self._frames.put(lost(str(error)))
        finally:
            self._answers.set()

    async def _carry(self, request: Any) -> Any:
        """Hand on what comes, and return how it ended."""
        web = await self._channel._page()
        async with web.stream(self._method, request, self._headers) as streaming:
            while (body := await streaming.read()) is not None:
                await self._frames.put(self._decode(body))
                self._answers.set()
            error = outcome(streaming.headers, streaming.trailers)
        return error or grpc.aio.EOF


class WebSubscription(WebStream):
    """Subscribe in two calls."""

    _follow_id = ""

    async def write(self, request: events.SubscribeRequest) -> None:
        """Begin, or change, what is followed. Raises AioRpcError, InvalidStateError at its end."""
        if not self._follow_id:
            assert request.HasField("create")
            self._follow_id = uuid.uuid4().hex
            self.begin(events.FollowRequest(follow_id=self._follow_id, watches=[request.create]))
            return
        await self._answers.wait()
        assert self._begun is not None
        if self._begun.done():
            raise asyncio.InvalidStateError
        update = events.UpdateFollowRequest(follow_id=self._follow_id, actions=[request])
        rpc = self._channel.unary_unary(
            EVENTS + "UpdateFollow", None, events.UpdateFollowResponse.FromString
        )
        metadata = [it for it in self._headers.items() if it[0] == "authorization"]
        try:
            await rpc(update, timeout=5.0, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:  # it has just ended
                raise asyncio.InvalidStateError from None
            raise


def _headers(metadata: Any, timeout: float) -> dict[str, str]:
    return {**dict(metadata or ()), "grpc-timeout": f"{int(timeout * 1000)}m"}


async def _insist(method: str, call: Callable[[], Awaitable[Any]]) -> Any:
    """As gRPC does by the client's service config."""
    pause_s = AGAIN_S
    for left in reversed(range(TRIES)):
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            again = error.code() is grpc.StatusCode.UNAVAILABLE and method in _AGAIN
            if not (again and left):
                raise
        await asyncio.sleep(pause_s)
        pause_s *= AGAIN_FACTOR
    raise AssertionError


async def _once(
    web: GrpcWeb, method: str, request: Any, headers: dict[str, str], decode: Any
) -> Any:
    try:
        answer = await web.unary(method, request, headers=headers)
    except _BROKEN as error:
        raise lost(str(error)) from None
    failed = outcome(answer.headers, answer.trailers)
    if failed is not None:
        raise failed
    if not answer.messages:
        raise lost("the answer was cut")
    return decode(answer.messages[0])
