"""gRPC servers of the command line, with the files of their descriptors."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import GrpcTarget

LARGEST = 1 << 20
"""What the contract takes of a descriptor set."""


def grpc_of(address: str, services: Sequence[str], descriptors: Path | None) -> "GrpcTarget":
    """The target; the file is sent along, and ends the command if it can't be read."""
    from antiphon.integration.v1.connection_pb2 import GrpcTarget

    wanted = GrpcTarget(address=address, services=services)
    if descriptors is None:
        return wanted
    try:
        found = descriptors.read_bytes()
    except OSError as error:
        fail(f"{descriptors}: {error.strerror}", 2)
    if not found:
        fail(f"{descriptors}: empty", 2)
    if len(found) > LARGEST:
        fail(f"{descriptors}: longer than 1 MiB; leave --include_source_info away", 2)
    wanted.descriptor_set = found
    return wanted
