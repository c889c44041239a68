"""The auth service as the installation knows it.

It is the one service that guards the calls of the others. So a process that runs it puts it
together before its guards, and all others behind them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Descriptor

if TYPE_CHECKING:
    import grpc
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.auth.compose.auth import Auth
    from antiphon_server.auth.compose.service import ProcessSettings
    from antiphon_server.runtime.access.rules import AccessPolicy
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.service import Service


@dataclass(frozen=True, slots=True)
class GuardingDescriptor(Descriptor):
    """What puts auth together has no guards yet; what answers its calls is made behind them."""

    def load(self) -> None:
        """Import all of it now, which else is done when it is composed."""
        import antiphon_server.auth.compose.service  # noqa: F401

        Descriptor.load(self)

    def compose(
        self,
        settings: "ProcessSettings",
        infrastructure: "Infrastructure",
        to_others: "grpc.aio.Channel",
    ) -> "Auth":
        """Put it together on what its process has; ``to_others`` leads to whom it calls."""
        from antiphon_server.auth.compose.service import compose_here

        return compose_here(settings, infrastructure, to_others)

    def serve(
        self, auth: "Auth", policy: "AccessPolicy", methods: Callable[[], Iterable[str]]
    ) -> "Service":
        """What answers calls; it explains the ``policy`` about the ``methods`` that are served."""
        from antiphon_server.auth.compose.service import auth_service

        return auth_service(auth, policy, methods)


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.auth.v1 import (
        access_service_pb2,
        audit_service_pb2,
        auth_service_pb2,
        profile_service_pb2,
        verification_service_pb2,
    )

    return (
        auth_service_pb2.DESCRIPTOR,
        access_service_pb2.DESCRIPTOR,
        audit_service_pb2.DESCRIPTOR,
        verification_service_pb2.DESCRIPTOR,
        profile_service_pb2.DESCRIPTOR,
    )


def _tables() -> "MetaData":
    from antiphon_server.auth.adapters.tables import metadata

    return metadata


AUTH = GuardingDescriptor(
    name="auth",
    port=7461,
    calls=("events",),
    folder=Path(__file__).parent,
    contracts=_contracts,
    tables=_tables,
)
