"""Windows as Protobuf bytes, put together without serialising what was serialised before.

A Protobuf message is the concatenation of its fields in any order
(https://protobuf.dev/programming-guides/encoding/). The field number is that of
``antiphon.context.v1.GetContextResponse``; a test compares with the stubs.
"""

from antiphon_server.context import encoding
from antiphon_server.context.model.messages import Message, Window

_MESSAGE = b"\x12"  # GetContextResponse.messages = 2, message


def window(it: Window) -> bytes:
    """The window as a GetContextResponse."""
    parts = [_field(message) for message in it.messages]
    parts.append(encoding.window_head(it).SerializeToString())
    return b"".join(parts)


def _field(message: Message) -> bytes:
    encoded = encoding.encoded_message(message)
    return b"".join((_MESSAGE, _varint(len(encoded)), encoded))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
