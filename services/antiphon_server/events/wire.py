"""Events and batches as Protobuf bytes, put together without parsing or copying twice.

An event is serialised when it is appended, before its place is known. A Protobuf
message is the concatenation of its fields in any order
(https://protobuf.dev/programming-guides/encoding/), so its place is added behind.
The field numbers are those of ``antiphon.events.v1``; a test compares with the stubs.
"""

from collections.abc import Sequence

from antiphon_server.events.model import Offset, Record
from antiphon_server.runtime.encoding.wire_format import sized, varint

_SCOPE = b"\x0a"  # Event.scope = 1, string
_FIRST_OFFSET = b"\x10"  # Event.first_offset = 2, varint
_LAST_OFFSET = b"\x18"  # Event.last_offset = 3, varint
_TIME = b"\x22"  # Event.time = 4, message
_SECONDS = b"\x08"  # Timestamp.seconds = 1, varint
_NANOS = b"\x10"  # Timestamp.nanos = 2, varint
_WATCH_ID = b"\x0a"  # EventBatch.watch_id = 1, string
_CURSOR_OF_BATCH = b"\x1a"  # EventBatch.cursor = 3, string
_BATCH = b"\x0a"  # SubscribeResponse.batch = 1, message
_EVENT = b"\x12"  # EventBatch.events = ReadEventsResponse.events = 2, message
_CURSOR_OF_PAGE = b"\x0a"  # ReadEventsResponse.cursor = 1, string
_AT_HEAD = b"\x18\x01"  # ReadEventsResponse.at_head = 3, true


def scoped(body: bytes, scope: str) -> bytes:
    """An event, serialised, that says which scope it is in, whatever it said before."""
    return body + _SCOPE + sized(scope.encode())


def placed(kind: int, body: bytes, first: Offset, last: Offset, time_us: int) -> Record:
    """An event with its place in the log and its time."""
    seconds, micros = divmod(time_us, 1_000_000)
    time = b"".join((_SECONDS, varint(seconds), _NANOS, varint(micros * 1000)))
    fields = (
        body,
        _FIRST_OFFSET,
        varint(first),
        _LAST_OFFSET,
        varint(last),
        _TIME,
        sized(time),
    )
    return Record(first, last, kind, b"".join(fields))


def batch(watch_id: str, records: Sequence[Record], cursor: str) -> bytes:
    """A SubscribeResponse (FollowResponse, ConverseResponse) that holds a batch."""
    parts = [_WATCH_ID, sized(watch_id.encode())]
    for record in records:
        parts += (_EVENT, varint(len(record.wire)), record.wire)
    parts += (_CURSOR_OF_BATCH, sized(cursor.encode()))
    return _BATCH + sized(b"".join(parts))


def page(records: Sequence[Record], cursor: str, at_head: bool) -> bytes:
    """A ReadEventsResponse."""
    parts = [_CURSOR_OF_PAGE, sized(cursor.encode())]
    for record in records:
        parts += (_EVENT, varint(len(record.wire)), record.wire)
    if at_head:
        parts.append(_AT_HEAD)
    return b"".join(parts)
