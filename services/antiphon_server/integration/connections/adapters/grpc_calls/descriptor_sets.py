"""Descriptor sets that were given along with connections, in place of reflection."""

from collections.abc import Collection
from pathlib import Path

from grpc_reflection.v1alpha.reflection_pb2 import FileDescriptorResponse

from antiphon_server.integration.connections.adapters.grpc_calls.files import (
    MOST_BYTES,
    MOST_FILES,
    Files,
    TooMuch,
    Unusable,
    too_many_bytes,
    too_many_files,
)
from antiphon_server.integration.connections.adapters.grpc_calls.reflection import (
    MOST_LISTED,
    MOST_SERVICES,
    Told,
    offered,
)

MOST_GIVEN = MOST_BYTES + 16 * MOST_FILES
"""Bytes of a set, with what stands between its files."""


def told_by(descriptor_set: bytes, wanted: Collection[str] = ()) -> Told:
    """The services ``wanted``, or all that are no part of every server. Raises Unusable."""
    files = Files()
    for serialized in _each(descriptor_set):
        files.add(serialized)
    for missing in files.missing():
        raise Unusable(f"the file {missing[:100]!r} is missing, which others import")
    declared = files.services()
    for name in wanted:
        if name not in declared:
            raise Unusable(f"it has no service {name[:100]!r}")
    services = list(dict.fromkeys(wanted)) or offered(declared)
    if not services:
        raise Unusable("it has no service")
    if len(services) > MOST_SERVICES:
        raise TooMuch(f"it has more than {MOST_SERVICES:,} services", MOST_LISTED)
    return Told(services, files)


def read(path: Path) -> bytes:
    """What a file has, of one that is too large only the beginning. Raises OSError."""
    with path.open("rb") as file:
        return file.read(MOST_GIVEN + 1)


def _each(descriptor_set: bytes) -> Collection[bytes]:
    """Its files, not parsed yet: on the wire an answer of reflection is the same as a set.

    Raises Unusable.
    """
    if len(descriptor_set) > MOST_GIVEN:
        raise too_many_bytes()
    try:
        answer = FileDescriptorResponse.FromString(descriptor_set)
    except Exception:
        raise Unusable("it is no descriptor set") from None
    files: Collection[bytes] = answer.file_descriptor_proto
    if len(files) > MOST_FILES:
        raise too_many_files()
    return files
