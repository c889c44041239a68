"""Other processes of this installation, and whether they serve."""

import asyncio
import logging
import random

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon_server.runtime.rpc.health import Health

PAUSE_S = 0.25
SERVICE_HEADER = "antiphon-service"
"""Says of which service health is asked: a proxy on the way does not read requests."""
SERVING = health_pb2.HealthCheckResponse.SERVING
log = logging.getLogger(__name__)


class PeerHealth:
    """Follows whether a service elsewhere serves, as the part ``peer.NAME`` of the health here.

    This process serves without it, as far as it can. ``run`` must be running.
    """

    def __init__(
        self, name: str, full_name: str, channel: grpc.aio.Channel, health: Health
    ) -> None:
        self._name = name
        self._request = health_pb2.HealthCheckRequest(service=full_name)
        self._stub = health_pb2_grpc.HealthStub(channel)
        self._health = health
        self._serves: bool | None = None
        self._was_there = False

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._watch()
            except (grpc.aio.AioRpcError, grpc.aio.UsageError):
                await self._set_serving(serves=False)
            await asyncio.sleep(PAUSE_S * random.uniform(0.5, 1.5))

    async def _watch(self) -> None:
        call = self._stub.Watch(self._request, metadata=((SERVICE_HEADER, self._name),))
        try:
            async for answer in call:
                await self._set_serving(serves=answer.status == SERVING)
        finally:
            call.cancel()

    async def _set_serving(self, *, serves: bool) -> None:
        if serves is self._serves:
            return
        if self._was_there:  # at the start all are away until they have come
            if serves:
                log.info("the service %s is back", self._name)
            else:
                log.warning("the service %s is away", self._name)
        self._was_there = self._was_there or serves
        self._serves = serves
        await self._health.set(f"peer.{self._name}", serving=serves, needed=False)
