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
    """Where the registry, the control plane and the edge listen, and what the edge lets through.

    The registry is for nodes, ``ads_port`` and ``inside_port`` for Envoys and services on
    this machine, ``admin_port`` for Prometheus (``/metrics``, ``/healthz``) if there is one, at
    the settings' ``admin_host``. ``calls_per_s`` and ``calls_per_s_of_one`` are of the edge, and of
    one address that calls it; 0 is no limit. ``pages`` is a server of static pages, ``host:port``.
    ``trusted_hops`` are the proxies before the edge, each of which adds to ``x-forwarded-for``
    whom it was called by.
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
