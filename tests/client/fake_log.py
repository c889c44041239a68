"""The smallest log that the client can follow: one scope, in memory, foldable."""

import asyncio

from antiphon.events.v1.event_pb2 import Event

SCOPE = "conversations/conv_00000001"
CONVERSATION = "conv_00000001"


class FakeLog:
    """Events with contiguous offsets. ``cursor`` is ``epoch:offset``."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.epoch = 1
        self.head = 0
        self.earliest = 1
        self.news = asyncio.Condition()

    async def append(self, event: Event) -> None:
        """Commit one event."""
        async with self.news:
            event.scope = SCOPE
            if not event.ephemeral:
                self.head += 1
                event.first_offset = event.last_offset = self.head
                self.events.append(event)
            self.news.notify_all()

    def fold(self, turn_id: str) -> None:
        """Let the event behind each run of the turn's deltas take over their offsets."""
        kept: list[Event] = []
        first = 0
        for event in self.events:
            if event.turn_id == turn_id and event.HasField("text_delta_appended"):
                first = first or event.first_offset
                continue
            if first:
                event = Event.FromString(event.SerializeToString())
                event.first_offset = first
                first = 0
            kept.append(event)
        self.events = kept

    def cursor(self, offset: int) -> str:
        """The position behind an offset."""
        return f"{self.epoch}:{offset}"

    def position(self, cursor: str) -> int | None:
        """A cursor's offset; None if its history is lost."""
        epoch, offset = map(int, cursor.split(":"))
        lost = epoch != self.epoch or offset + 1 < self.earliest
        return None if lost else offset

    def after(self, offset: int, limit: int) -> list[Event]:
        """The next events behind a position."""
        return [event for event in self.events if event.last_offset > offset][:limit]
