"""What Envoy does when there is too much of something, and limits that hold everywhere."""

from envoy_data_plane.envoy.config.bootstrap.v3 import LayeredRuntime, RuntimeLayer
from envoy_data_plane.envoy.config.overload.v3 import (
    OverloadAction,
    OverloadManager,
    ResourceMonitor,
    ThresholdTrigger,
    Trigger,
)
from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections.v3 import (
    DownstreamConnectionsConfig,
)
from envoy_data_plane.envoy.extensions.resource_monitors.fixed_heap.v3 import FixedHeapConfig

from antiphon_server.mesh.edge import limits
from antiphon_server.mesh.edge.terms import packed, seconds, struct

_HEAP = "envoy.resource_monitors.fixed_heap"
_CONNECTIONS = "envoy.resource_monitors.global_downstream_max_connections"


def overload_manager() -> OverloadManager:
    """Memory is given back, then requests are refused; connections have a limit."""
    heap = FixedHeapConfig(max_heap_size_bytes=limits.HEAP_BYTES)
    connections = DownstreamConnectionsConfig(max_active_downstream_connections=limits.CONNECTIONS)
    return OverloadManager(
        refresh_interval=seconds(0.25),
        resource_monitors=[
            ResourceMonitor(name=_HEAP, typed_config=packed(heap)),
            ResourceMonitor(name=_CONNECTIONS, typed_config=packed(connections)),
        ],
        actions=[
            _at("envoy.overload_actions.shrink_heap", 0.90),
            _at("envoy.overload_actions.stop_accepting_requests", 0.95),
            _at("envoy.overload_actions.stop_accepting_connections", 0.98),
        ],
    )


def runtime() -> LayeredRuntime:
    """Limits that Envoy takes from its runtime alone."""
    values = struct(
        {
            "http.max_requests_per_io_cycle": limits.REQUESTS_PER_TURN,
            "overload.premature_reset_total_stream_count": limits.RESET_STREAMS,
            "overload.premature_reset_min_stream_lifetime_seconds": limits.RESET_WITHIN_S,
        }
    )
    return LayeredRuntime(layers=[RuntimeLayer(name="edge", static_layer=values)])


def _at(action: str, share: float) -> OverloadAction:
    """An action when the heap is that full."""
    trigger = Trigger(name=_HEAP, threshold=ThresholdTrigger(value=share))
    return OverloadAction(name=action, triggers=[trigger])
