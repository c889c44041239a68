"""``grpc.health.v1``: what serves, per service and per internal part."""

import asyncio
from collections.abc import Iterator
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio

from antiphon_server.runtime.rpc.methods import MethodTable

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
OVERALL = ""


class Health:
    """The serving statuses that the health service's Check and Watch report.

    The overall status (the empty name) is SERVING after :meth:`ready` was called, while every
    required part is serving.
    """

    def __init__(self) -> None:
        self._servicer = aio.HealthServicer()
        self._parts: dict[str, bool] = {}
        self._optional: set[str] = set()
        self._ready = False
        self.well = asyncio.Event()
        """Set while the overall status is SERVING."""

    def register(self, table: MethodTable) -> None:
        """Add the health service to a server."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, table)

    async def set(self, part: str, serving: bool, *, needed: bool = True) -> None:
        """Set the status of a part, which is part of the overall status if ``needed``."""
        self._parts[part] = serving
        if not needed:
            self._optional.add(part)
        await self._servicer.set(part, _SERVING if serving else _NOT_SERVING)
        await self._update()

    async def ready(self) -> None:
        """Report that everything has started."""
        self._ready = True
        await self._update()

    async def drain(self) -> None:
        """Report NOT_SERVING for everything from now on."""
        self._ready = False
        self._parts = dict.fromkeys(self._parts, False)
        await self._update()
        await self._servicer.enter_graceful_shutdown()

    @property
    def serving(self) -> bool:
        """The overall status."""
        needed = (up for part, up in self._parts.items() if part not in self._optional)
        return self._ready and all(needed)

    @property
    def parts(self) -> dict[str, bool]:
        """Each part, and whether it is serving."""
        return dict(self._parts)

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        whole = "1 while this process takes calls."
        yield GaugeMetricFamily("antiphon_serving", whole, value=float(self.serving))
        parts = GaugeMetricFamily(
            "antiphon_part_serving", "1 while the part, or the peer, serves.", labels=["part"]
        )
        for part, serves in list(self._parts.items()):
            parts.add_metric([part], float(serves))
        yield parts

    async def _update(self) -> None:
        (self.well.set if self.serving else self.well.clear)()
        await self._servicer.set(OVERALL, _SERVING if self.serving else _NOT_SERVING)
