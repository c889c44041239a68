"""What an Envoy of ours sees of the instances that it leads calls to."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon_server.mesh.envoy.admin import AdminUnreachable, EnvoyAdmin
from antiphon_server.mesh.instances import Announced, Load, Seen
from antiphon_server.mesh.model import Address
from antiphon_server.mesh.recent_rates import Recent

LOOK_S = 1.0
_Place = tuple[str, Address]


class EdgeView:
    """Looks at the admin interface now and then; whoever asks is told what was seen last."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._recent: dict[_Place, Recent] = {}
        self._seen: dict[_Place, Seen] = {}

    def of(self, instance: Announced) -> Seen | None:
        """What is seen of an instance; None if nothing is."""
        return self._seen.get((instance.key.service, instance.address))

    async def look(self, admin: EnvoyAdmin) -> None:
        """Look once. An Envoy that does not answer sees nothing."""
        try:
            clusters = await admin.clusters()
        except AdminUnreachable:
            clusters = []
        recent: dict[_Place, Recent] = {}
        self._seen = {}
        for place, host in _hosts(clusters):
            recent[place] = self._recent.get(place) or Recent()
            stats = _stats(host)
            load = Load(stats["rq_success"] + stats["rq_error"], stats["rq_error"])
            recent[place].record(self._ticks(), load)
            healthy = not any(name.startswith("failed_") for name in host["health_status"])
            self._seen[place] = Seen(healthy, recent[place].rates, stats["rq_active"])
        self._recent = recent


def _hosts(clusters: Iterable[Mapping[str, Any]]) -> Iterable[tuple[_Place, Mapping[str, Any]]]:
    for cluster in clusters:
        for host in cluster.get("host_statuses", ()):
            at = host["address"]["socket_address"]
            yield (cluster["name"], Address(at["address"], int(at["port_value"]))), host


def _stats(host: Mapping[str, Any]) -> dict[str, int]:
    """Counts by their names; Envoy leaves values out that are 0."""
    return {stat["name"]: int(stat.get("value", 0)) for stat in host["stats"]}
