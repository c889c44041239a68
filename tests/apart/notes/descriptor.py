"""Notes as the installation knows them."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData


def _contracts() -> "tuple[FileDescriptor, ...]":
    from tests.apart.notes.contract import FILE

    return (FILE,)


def _tables() -> "MetaData":
    from tests.apart.notes.compose import metadata

    return metadata


def _composition() -> Compose[object]:
    from tests.apart.notes.compose import compose_service

    return compose_service


NOTES = ServiceDescriptor(
    name="notes",
    port=7466,
    calls=("events",),
    folder=Path(__file__).parent,
    contracts=_contracts,
    tables=_tables,
    composition=_composition,
)
