"""Memories as people read them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from antiphon.memory.v1.memory_pb2 import MemoryKind, MemoryOrigin, MemoryState
from antiphon_server.cli.counts import counted
from antiphon_server.cli.kinds import name_of

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from antiphon.memory.v1.memory_pb2 import Memory


def kind_name(it: "Memory") -> str:
    """What sort of thing it is."""
    return name_of(MemoryKind, "MEMORY_KIND_", it.kind) if it.kind else ""


def state_name(it: "Memory") -> str:
    """What has become of it."""
    return name_of(MemoryState, "MEMORY_STATE_", it.state)


def origin_name(it: "Memory") -> str:
    """How it came about, and of how many messages."""
    origin = name_of(MemoryOrigin, "MEMORY_ORIGIN_", it.origin) if it.origin else ""
    if not it.sources:
        return origin
    return f"{origin}, {counted(len(it.sources), 'message')}"


def since_of(it: "Memory") -> str:
    """Since when it holds, and until when; empty if that is not known."""
    begins = _day(it.valid_from) if it.HasField("valid_from") else ""
    ends = f"until {_day(it.valid_until)}" if it.HasField("valid_until") else ""
    return " ".join(filter(None, (begins, ends)))


def not_now(it: "Memory") -> str:
    """What tells that it holds no more, or not yet: " (held until 2020-01-01)"; else empty.

    An event has its time in what it says.
    """
    now = datetime.now(UTC)
    if it.kind == MemoryKind.MEMORY_KIND_EVENT:
        return ""
    if it.HasField("valid_until") and it.valid_until.ToDatetime(UTC) <= now:
        return f" (held until {_day(it.valid_until)})"
    if it.HasField("valid_from") and it.valid_from.ToDatetime(UTC) > now:
        return f" (from {_day(it.valid_from)})"
    return ""


def _day(time: "Timestamp") -> str:
    return time.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d")
