"""Calls of other processes of this installation: a real channel, and what every call carries."""

from collections.abc import Callable, Sequence
from typing import Any

import grpc

from antiphon_server.runtime.channels.unconnected_channel import UnconnectedChannel
from antiphon_server.runtime.telemetry.current_rpc import HEADER, current_request_id

Headers = Callable[[], Sequence[tuple[str, str]]]


class PeerChannel(UnconnectedChannel):
    """A channel whose calls carry all ``headers`` and the id of the RPC that they are part of.

    What a call brings itself goes before. A deadline or a cancellation of the RPC reaches
    the peer as the cancellation of the call.
    """

    def __init__(self, inner: grpc.aio.Channel, *headers: Headers) -> None:
        self._inner = inner
        self._headers = headers

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._carrying(self._inner.unary_unary(method, *codecs, **more))

    def unary_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._carrying(self._inner.unary_stream(method, *codecs, **more))

    def stream_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._carrying(self._inner.stream_unary(method, *codecs, **more))

    def stream_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._carrying(self._inner.stream_stream(method, *codecs, **more))

    def _carrying(self, call: Any) -> Any:
        def begin(*arguments: Any, metadata: Any = None, **more: Any) -> Any:
            return call(*arguments, metadata=self._metadata(metadata), **more)

        return begin

    def _metadata(self, own: Any) -> tuple[tuple[str, str | bytes], ...]:
        brought = tuple(own or ())
        keys = {key for key, _ in brought}
        request_id = current_request_id()
        carried = [pair for headers in self._headers for pair in headers()]
        carried += [(HEADER, request_id)] if request_id else []
        return (*(pair for pair in carried if pair[0] not in keys), *brought)

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()
