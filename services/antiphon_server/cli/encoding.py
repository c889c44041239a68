"""Messages as JSON, with the contract's own field names."""

from datetime import UTC
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


def as_dict(message: Message, *, zeros: bool = False) -> dict[str, Any]:
    """A message in the JSON form of protobuf (https://protobuf.dev/programming-guides/json).

    With ``zeros``, fields with default values are included.
    """
    found: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=zeros
    )
    return found


def local_time(time: Timestamp, form: str = "%Y-%m-%d %H:%M %Z") -> str:
    """A time in this machine's time zone."""
    return time.ToDatetime(UTC).astimezone().strftime(form) if time.seconds else ""
