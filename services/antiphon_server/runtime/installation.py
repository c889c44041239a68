"""The services of an installation: their names, and where those are that run elsewhere."""

from typing import Literal, get_args

import msgspec

from antiphon_server.runtime.configuration import host_and_port

ServiceName = Literal["auth", "events", "context", "integration", "dispatcher"]
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
"""In the order in which they are started."""

PORTS: dict[ServiceName, int] = {
    "auth": 7461,
    "context": 7462,
    "dispatcher": 7463,
    "events": 7464,
    "integration": 7465,
}
"""Where each listens when it runs by itself, unless told otherwise."""


class Peers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where this process finds each service that it does not run, ``host:port``.

    A host may be any name that gRPC resolves; behind one with several addresses calls go to
    each in turn.
    """

    auth: str = f"127.0.0.1:{PORTS['auth']}"
    context: str = f"127.0.0.1:{PORTS['context']}"
    dispatcher: str = f"127.0.0.1:{PORTS['dispatcher']}"
    events: str = f"127.0.0.1:{PORTS['events']}"
    integration: str = f"127.0.0.1:{PORTS['integration']}"

    def __post_init__(self) -> None:
        """Raises WrongSetting."""
        for name in SERVICES:
            host_and_port(name, self.address(name))

    def address(self, service: ServiceName) -> str:
        """The service's address."""
        found: str = getattr(self, service)
        return found
