"""What one connection of HTTP/2 brought, in its order: frames, messages, and texts among them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from antiphon.dispatcher.v1.dispatcher_service_pb2 import CancelTurnResponse
from antiphon.events.v1.event_service_pb2 import SubscribeResponse

FRAME, PREFIX = 9, 5  # bytes before each frame of HTTP/2, and before each message of gRPC
DATA = 0


def texts_around(seen: bytes, scope: str, turn_ids: Sequence[str]) -> tuple[int, list[str]]:
    """Of how many turns text came before the answer to their stop only, and of which after it.

    On the connection one stream follows the scope, and nothing else tells of it.
    """
    stopped, before, late, events = set[str](), set[str](), list[str](), 0
    for stream, message in _messages(seen):
        events = events or (stream if scope.encode() in message else 0)
        if stream == events:
            for event in SubscribeResponse.FromString(message).batch.events:
                if not event.HasField("text_delta_appended"):
                    continue
                before.add(event.turn_id)
                if event.turn_id in stopped:
                    late.append(event.turn_id)
        elif any(turn_id.encode() in message for turn_id in turn_ids):
            stopped.add(CancelTurnResponse.FromString(message).turn.turn_id)
    assert stopped == set(turn_ids)
    return len(before - set(late)), late


def _messages(seen: bytes) -> Iterator[tuple[int, bytes]]:
    """Each message where its last byte came, with the number of its stream."""
    halves = defaultdict[int, bytearray](bytearray)
    for kind, stream, body in _frames(seen):
        if kind != DATA:
            continue
        half = halves[stream]
        half += body
        while len(half) >= PREFIX and len(half) >= PREFIX + int.from_bytes(half[1:PREFIX]):
            end = PREFIX + int.from_bytes(half[1:PREFIX])
            assert half[0] == 0, "it is compressed"
            yield stream, bytes(half[PREFIX:end])
            del half[:end]


def _frames(seen: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + FRAME <= len(seen):
        length, kind = int.from_bytes(seen[at : at + 3]), seen[at + 3]
        stream = int.from_bytes(seen[at + 5 : at + FRAME]) & 0x7FFFFFFF
        yield kind, stream, seen[at + FRAME : at + FRAME + length]
        at += FRAME + length
