"""One channel to all services, wherever each of them runs."""

from collections.abc import Mapping
from typing import Any

import grpc

from antiphon_server.runtime.channels.unconnected_channel import UnconnectedChannel


def service_of(method: str) -> str:
    """Which service a method is of: ``/antiphon.NAME.v1.Service/Method``."""
    return method.split(".", 2)[1]


class NoRoute(LookupError):
    """A service has a stub of one that it does not say it calls."""


class RoutedChannel(UnconnectedChannel):
    """Chooses the channel of each method by its service. Closing it closes none of them.

    A stub of a service that no route leads to can't be made: it raises NoRoute.
    """

    def __init__(self, routes: Mapping[str, grpc.aio.Channel]) -> None:
        self._routes = routes

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._to(method).unary_unary(method, *codecs, **more)

    def unary_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._to(method).unary_stream(method, *codecs, **more)

    def stream_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._to(method).stream_unary(method, *codecs, **more)

    def stream_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        return self._to(method).stream_stream(method, *codecs, **more)

    def _to(self, method: str) -> grpc.aio.Channel:
        channel = self._routes.get(service_of(method))
        if channel is None:
            raise NoRoute(f"{method}: its service is not in the `calls` of the one that calls it")
        return channel

    async def close(self, grace: float | None = None) -> None:
        """Leave the channels to their owners."""
