"""What is put together by hand is what Protobuf would have written."""

import pytest
from google.protobuf import wrappers_pb2

from antiphon.context.v1 import message_pb2
from antiphon_server.runtime.encoding.wire_format import sized, sized_tag, varint


@pytest.mark.parametrize("value", [1, 127, 128, 300, (1 << 14) - 1, 1 << 14, (1 << 63) - 1])
def test_numbers_are_written_as_protobuf_writes_them(value: int) -> None:
    """Of one byte and of many."""
    written = wrappers_pb2.Int64Value(value=value).SerializeToString()
    assert written == b"\x08" + varint(value)
    assert varint(0) == b"\x00"


@pytest.mark.parametrize("size", [1, 127, 128, 100_000])
def test_sized_fields_are_written_as_protobuf_writes_them(size: int) -> None:
    """Tag, length, content."""
    text = "x" * size
    number = message_pb2.Message.MESSAGE_ID_FIELD_NUMBER
    written = message_pb2.Message(message_id=text).SerializeToString()
    assert written == sized_tag(number) + sized(text.encode())
    assert sized_tag(16) == b"\x82\x01"
