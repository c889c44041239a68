"""Notes as the installation knows them."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Schema, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links
    from antiphon_server.runtime.composition.service import Service


def _contracts() -> "tuple[FileDescriptor, ...]":
    from tests.apart.notes.contract import FILE

    return (FILE,)


def _schema() -> Schema:
    from tests.apart.notes.service import metadata

    return Schema(Path(__file__).parent / "versions", metadata)


def _compose(
    _settings: object, infrastructure: "Infrastructure", links: "Links", _guards: "Guards"
) -> "Service":
    from tests.apart.notes.service import compose_notes

    return compose_notes(infrastructure.database, links.internal)


NOTES = ServiceDescriptor(
    name="notes",
    port=7466,
    calls=("events",),
    contracts=_contracts,
    schema=_schema,
    compose=_compose,
)
