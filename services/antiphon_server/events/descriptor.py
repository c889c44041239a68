"""The events service, which has the log, as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Schema, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links
    from antiphon_server.runtime.composition.service import Service


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.events.v1 import event_service_pb2

    return (event_service_pb2.DESCRIPTOR,)


def _schema() -> Schema:
    from antiphon_server.events.adapters.tables import metadata

    return Schema(Path(__file__).parent / "adapters" / "migrations" / "versions", metadata)


def _compose(
    _told: object, infrastructure: "Infrastructure", _links: "Links", guards: "Guards"
) -> "Service":
    from antiphon_server.events.compose import compose_events

    redis, secret = infrastructure.redis, infrastructure.secret
    key = secret.derive("bus between nodes") if redis else b""
    events = compose_events(
        infrastructure.database, guards.policy, guards.verifier, redis=redis, bus_key=key
    )
    guards.on_session_end(events.subscriptions.session_ended)
    guards.on_keys_withdrawn(events.subscriptions.check_tokens)
    return events


EVENTS = ServiceDescriptor(
    name="events", port=7464, contracts=_contracts, schema=_schema, compose=_compose
)
