"""Envoy's admin interface, on a socket file that only its owner can open."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

TIMEOUT_S = 3.0
_FIGURES = (
    r"^cluster\.[a-z]+\.(membership_|upstream_(rq|cx)_|outlier_detection\.ejections_active)"
    r"|^http\.edge\.|rate_limited$|^server\.memory_|pressure$"
)
"""What operators ask about the edge; Envoy counts ten times as much."""


class AdminUnreachable(Exception):
    """Envoy's admin interface does not answer, or not with success."""


class EnvoyAdmin:
    """Asks one Envoy. Every method raises AdminUnreachable."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ready(self) -> bool:
        """Whether it has its first configuration and serves."""
        try:
            await self._ask("GET", "/ready")
        except AdminUnreachable:
            return False
        return True

    async def port(self, listener: str) -> int:
        """The port that a listener was given. Raises LookupError if there is none of that name."""
        answer = json.loads(await self._ask("GET", "/listeners?format=json"))
        for status in answer.get("listener_statuses", []):
            if status["name"] == listener:
                return int(status["local_address"]["socket_address"]["port_value"])
        raise LookupError(listener)

    async def stats(self, pattern: str) -> dict[str, int]:
        """Counters and gauges whose names match a regular expression."""
        answer = json.loads(await self._ask("GET", f"/stats?format=json&filter={pattern}"))
        return {stat["name"]: int(stat["value"]) for stat in answer["stats"] if "value" in stat}

    async def clusters(self) -> list[dict[str, Any]]:
        """Clusters with their hosts, as Envoy tells it (``/clusters?format=json``)."""
        found = json.loads(await self._ask("GET", "/clusters?format=json"))
        return list(found.get("cluster_statuses", []))

    async def exposition(self) -> bytes:
        """What it has counted, for Prometheus; nothing while it does not answer."""
        try:
            return await self._ask("GET", f"/stats/prometheus?usedonly&filter={quote(_FIGURES)}")
        except AdminUnreachable:
            return b""

    async def drain(self) -> None:
        """Ask clients to leave, and take none when the drain time is over; services stay."""
        await self._ask("POST", "/drain_listeners?graceful&inboundonly")

    async def _ask(self, verb: str, target: str) -> bytes:
        import aiohttp

        connector = aiohttp.UnixConnector(str(self._socket))
        timeout = aiohttp.ClientTimeout(TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(verb, f"http://envoy{target}", raise_for_status=True) as response,
            ):
                return await response.read()
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            raise AdminUnreachable(str(error)) from error
