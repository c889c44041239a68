"""One channel to all services, wherever each of them runs."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc


def service_of(method: str) -> str:
    """Which service a method is of: ``/antiphon.NAME.v1.Service/Method``."""
    return method.split(".", 2)[1]


class RoutedChannel(grpc.aio.Channel):
    """Chooses the channel of each method by its service. Closing it closes none of them."""

    def __init__(self, routes: Mapping[str, grpc.aio.Channel]) -> None:
        self._routes = routes

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """See :meth:`grpc.aio.Channel.unary_unary`."""
        return self._routes[service_of(method)].unary_unary(method, *codecs, **more)

    def unary_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        """See :meth:`grpc.aio.Channel.unary_stream`."""
        return self._routes[service_of(method)].unary_stream(method, *codecs, **more)

    def stream_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """See :meth:`grpc.aio.Channel.stream_unary`."""
        return self._routes[service_of(method)].stream_unary(method, *codecs, **more)

    def stream_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        """See :meth:`grpc.aio.Channel.stream_stream`."""
        return self._routes[service_of(method)].stream_stream(method, *codecs, **more)

    async def close(self, grace: float | None = None) -> None:
        """Leave the channels to their owners."""

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """READY: each call says for itself whether its service can be reached."""
        return grpc.ChannelConnectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Raise UsageError: there are several states."""
        raise grpc.aio.UsageError("a routed channel has no one state")

    async def channel_ready(self) -> None:
        """Return at once."""

    async def __aenter__(self) -> Self:
        """Use the channel for a block."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Leave the channels to their owners."""
