"""Windows as Protobuf bytes, put together without serialising what was serialised before.

A Protobuf message is the concatenation of its fields in any order
(https://protobuf.dev/programming-guides/encoding/); a test compares with the stubs.
"""

from antiphon_server.context import encoding
from antiphon_server.context.model.messages import Message, Window
from antiphon_server.runtime.encoding.wire_format import sized_tag, varint

_MESSAGE = sized_tag(encoding.MESSAGES_OF_WINDOW)


def window(it: Window) -> bytes:
    """The window as a GetContextResponse."""
    parts = [_field(message) for message in it.messages]
    parts.append(encoding.window_head(it).SerializeToString())
    return b"".join(parts)


def _field(message: Message) -> bytes:
    encoded = encoding.encoded_message(message)
    return b"".join((_MESSAGE, varint(len(encoded)), encoded))
