"""What a control plane and its edge can be told."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from antiphon_server.runtime.configuration import WrongSetting, host_and_port

Port = Annotated[int, Meta(ge=0, le=65535)]
_ORIGIN = re.compile(r"\*|https?://[^\s/]+")
Rate = Annotated[int, Meta(ge=0, le=1_000_000)]


class MeshSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The addresses and limits of registry, control plane and edge.

    The registry serves nodes. ``ads_port`` and ``inside_port`` serve Envoys and services on this
    machine. ``admin_port`` serves Prometheus (``/metrics``, ``/healthz``), if set, at the
    settings' ``admin_host``. ``calls_per_s`` limits all calls through the edge, and
    ``calls_per_s_of_one`` those from one address; 0 means unlimited. ``pages`` is a server of
    static pages, ``host:port``. ``trusted_hops`` is the number of proxies in front of the edge
    that add the caller to ``x-forwarded-for``.
    """

    host: str = "127.0.0.1"
    port: Port = 7470
    ads_port: Port = 7471
    inside_port: Port = 7472
    edge_host: str = "127.0.0.1"
    edge_port: Port = 7450
    admin_port: Port | None = None
    envoy: bool = True
    trusted_hops: Annotated[int, Meta(ge=0, le=10)] = 0
    origins: tuple[str, ...] = ()
    pages: str = ""
    traces: str = ""
    access_log: Path | None = None
    check_tokens: bool = True
    calls_per_s: Rate = 20_000
    calls_per_s_of_one: Rate = 5_000

    def __post_init__(self) -> None:
        """Raises WrongSetting."""
        for name in ("pages", "traces"):
            if getattr(self, name):
                host_and_port(name, getattr(self, name))
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise WrongSetting(f"origins: '{origin}' is none, such as https://chat.example")
