"""Aggregated discovery for Envoys, served by grpcio; the types are Envoy's own."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from envoy_data_plane.envoy.service.discovery.v3 import DiscoveryRequest

from antiphon_server.mesh.resources import Snapshot
from antiphon_server.mesh.xds.subscriber import Subscriber

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
METHOD = f"/{SERVICE}/StreamAggregatedResources"

Context = grpc.aio.ServicerContext[bytes, bytes]


class Source:
    """What is to be told now; whoever tells it wakes those who wait."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._changed = asyncio.Event()

    def send(self, snapshot: Snapshot) -> None:
        """From now on this is it."""
        self._snapshot = snapshot
        self._changed.set()
        self._changed = asyncio.Event()

    async def first(self) -> Snapshot:
        """Wait until there is something to tell."""
        while self._snapshot is None:
            await self._changed.wait()
        return self._snapshot

    async def other_than(self, seen: Snapshot) -> Snapshot:
        """Wait until there is something else."""
        while self._snapshot is seen or self._snapshot is None:
            await self._changed.wait()
        return self._snapshot


class Discovery(grpc.GenericRpcHandler):
    """Serves the one stream of each Envoy."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of the one method that there is."""
        if handler_call_details.method != METHOD:
            return None
        return grpc.stream_stream_rpc_method_handler(self._stream)  # bytes in, bytes out

    async def _stream(self, _requests: object, context: Context) -> None:
        snapshot = await self._source.first()
        subscriber = Subscriber()
        async with _Turns(context.read, self._source) as turns:
            while True:
                request, snapshot = await turns.next(snapshot)
                if request is grpc.aio.EOF:
                    return
                if request is None:
                    for update in subscriber.updates(snapshot):
                        await context.write(bytes(update))
                elif answer := subscriber.asked(DiscoveryRequest.parse(request), snapshot):
                    await context.write(bytes(answer))


class _Turns:
    """Waits for a request or for a change, whichever comes first, and loses neither."""

    def __init__(self, read: Callable[[], Any], source: Source) -> None:
        self._read = read
        self._source = source
        self._request: asyncio.Task[Any] | None = None

    async def next(self, seen: Snapshot) -> tuple[Any, Snapshot]:
        """The request, or None for a change; and the snapshot to send."""
        if self._request is None:
            self._request = asyncio.ensure_future(self._read())
        change = asyncio.ensure_future(self._source.other_than(seen))
        try:
            await asyncio.wait([self._request, change], return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
            await asyncio.gather(change, return_exceptions=True)
        if self._request.done():
            request, self._request = self._request, None
            return request.result(), seen
        return None, await self._source.first()

    async def __aenter__(self) -> "_Turns":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._request is not None:
            self._request.cancel()
            await asyncio.gather(self._request, return_exceptions=True)
