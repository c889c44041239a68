"""Times on the wire. Those of requests may be anything that fits."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon_server.runtime.errors import invalid


def timestamp(time_us: int) -> Timestamp:
    """Microseconds since the epoch, encoded."""
    seconds, micros = divmod(time_us, 1_000_000)  # 1.6 us; FromMicroseconds takes 2.1
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def duration(seconds: float) -> Duration:
    """So many seconds, which are not negative, to the nearest nanosecond."""
    whole, nanos = divmod(round(seconds * 1e9), 10**9)
    return Duration(seconds=whole, nanos=nanos)


def micros_of(request: Message, name: str) -> int | None:
    """The time that a field of the request holds, in microseconds since the epoch, UTC.

    None if it is unset. Raises DomainError INVALID_ARGUMENT for what is no Timestamp that
    its comment allows: beyond the years 1 to 9999, or with nanoseconds beyond a second.
    """
    if not request.HasField(name):
        return None
    time: Timestamp = getattr(request, name)
    try:
        return time.ToMicroseconds()
    except ValueError:
        raise invalid(name, "must be a time between the years 1 and 9999") from None
