"""Windows as Protobuf bytes: a message that comes with every turn is serialised once.

A Protobuf message is the concatenation of its fields in any order
(https://protobuf.dev/programming-guides/encoding/). The field number is that of
``antiphon.context.v1.GetContextResponse``; a test compares with the stubs.
"""

from antiphon_server.context import encoding
from antiphon_server.context.model.messages import Message, Offset, Window
from antiphon_server.context.model.resources import ConversationId

MAX_BYTES = 16 << 20
_MESSAGE = b"\x12"  # GetContextResponse.messages = 2, message


class WindowEncoder:
    """Serialises windows; remembers messages, and forgets all when they are too many."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._known: dict[tuple[ConversationId, Offset], tuple[Message, bytes]] = {}
        self._size = 0

    def encode(self, window: Window) -> bytes:
        """The window as a GetContextResponse."""
        parts = [self._message(message) for message in window.messages]
        parts.append(encoding.window_head(window).SerializeToString())
        return b"".join(parts)

    def _message(self, message: Message) -> bytes:
        """The message as a field of the response."""
        key = message.conversation_id, message.offset
        known = self._known.get(key)
        if known is not None and (known[0] is message or known[0] == message):
            return known[1]
        encoded = encoding.message(message).SerializeToString()
        field = b"".join((_MESSAGE, _varint(len(encoded)), encoded))
        self._size += len(field)
        if self._size > self._max_bytes:
            self._known.clear()
            self._size = len(field)
        self._known[key] = (message, field)
        return field


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
