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
    """The statuses that Check and Watch answer with.

    The overall status (the empty name) is SERVING once :meth:`ready` was called
    and while every part that is needed serves.
    """

    def __init__(self) -> None:
        self._servicer = aio.HealthServicer()
        self._parts: dict[str, bool] = {}
        self._optional: set[str] = set()
        self._ready = False
        self.well = asyncio.Event()
        """Set while the overall status is SERVING."""

    def register(self, table: MethodTable) -> None:
        """Offer the health service with the others."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, table)

    async def set(self, part: str, serving: bool, *, needed: bool = True) -> None:
        """Note whether a service or part serves; others do without it unless ``needed``."""
        self._parts[part] = serving
        if not needed:
            self._optional.add(part)
        await self._servicer.set(part, _SERVING if serving else _NOT_SERVING)
        await self._update()

    async def ready(self) -> None:
        """Everything has started."""
        self._ready = True
        await self._update()

    async def drain(self) -> None:
        """Say NOT_SERVING for everything, for good."""
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
        """Each part and whether it serves."""
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
