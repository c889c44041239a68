"""Which fields of a message a request is about (AIP-134, AIP-161)."""

from collections.abc import Collection

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon_server.runtime.errors import invalid


def masked(mask: FieldMask, allowed: Collection[str]) -> frozenset[str]:
    """The fields that a mask names.

    Raises DomainError INVALID_ARGUMENT if it names none, or one that is not ``allowed``.
    """
    paths = frozenset(mask.paths)
    if not paths or not paths <= frozenset(allowed):
        raise invalid("update_mask", f"one or more of {', '.join(allowed)}")
    return paths
