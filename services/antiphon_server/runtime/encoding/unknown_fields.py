"""What a message brought that this version's contract does not have."""

from collections.abc import Container, Iterator
from typing import Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

_LENGTH_DELIMITED = 2


def unknown_member(message: Message, numbers: Container[int]) -> int:
    """The number of a newer oneof's member, of those that are that oneof's; 0 without one.

    Members are messages. Of several the last one counts, as for known ones.
    """
    found = [
        field.field_number
        for field in _unknown(message)
        if field.wire_type == _LENGTH_DELIMITED and field.field_number in numbers
    ]
    return int(found[-1]) if found else 0


def has_unknown_fields(message: Message) -> bool:
    """Whether a newer sender has said more than this version understands."""
    return any(True for _ in _unknown(message))


def _unknown(message: Message) -> Iterator[Any]:
    fields: Any = UnknownFieldSet(message)  # whose stub does not say what it has
    return iter(fields)
