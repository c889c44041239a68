"""Clusters that are no services: what an edge needs besides."""

from envoy_data_plane.envoy.config.cluster.v3 import Cluster

from antiphon_server.mesh.edge.clusters import KEYS, PAGES, TRACES, grpc_cluster, http_cluster
from antiphon_server.mesh.model import Edge


def helpers(edge: Edge) -> list[Cluster]:
    """Those that this edge needs."""
    return [
        *([http_cluster(PAGES, edge.pages)] if edge.pages else []),
        *([http_cluster(KEYS, edge.keys)] if edge.keys else []),
        *([grpc_cluster(TRACES, [edge.traces])] if edge.traces else []),
    ]
