"""What Envoys are told, as bytes: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol"""

from collections.abc import Mapping
from dataclasses import dataclass

_TYPES = "type.googleapis.com/envoy.config."
CLUSTERS = f"{_TYPES}cluster.v3.Cluster"
ENDPOINTS = f"{_TYPES}endpoint.v3.ClusterLoadAssignment"
LISTENERS = f"{_TYPES}listener.v3.Listener"
ROUTES = f"{_TYPES}route.v3.RouteConfiguration"
SECRETS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
ORDER = (CLUSTERS, ENDPOINTS, SECRETS, LISTENERS, ROUTES)
"""In this order nothing leads to what Envoy does not know yet."""


@dataclass(frozen=True, slots=True)
class Resources:
    """All resources of one type by their names, each packed into an Any."""

    type_url: str
    version: str
    by_name: Mapping[str, bytes]


Snapshot = Mapping[str, Resources]
"""Resources by their type."""
