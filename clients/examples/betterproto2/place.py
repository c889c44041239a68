"""Where a reader is in a conversation's log, and the answer as far as it is known."""

from stubs.antiphon.events.v1 import Event, EventBatch, StartPosition, Watch


class GapError(Exception):
    """Events are missing: a defect that nobody may overlook."""


class Place:
    """A position that moves forward as frames come: nothing is missed or comes twice."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.cursor = ""
        self.first = 0
        self.offset = 0  # of the last event taken; 0 before the first

    def watch(self) -> Watch:
        """Ask for all from the log's beginning, or for what follows the cursor."""
        earliest = StartPosition.EARLIEST
        return Watch(watch_id="1", scope=self.scope, cursor=self.cursor, start=earliest)

    def take(self, batch: EventBatch) -> list[Event]:
        """A batch's new events, in order. Raises GapError if one is missing before them."""
        fresh = [event for event in batch.events if event.ephemeral or self._is_new(event)]
        self.cursor = batch.cursor
        return fresh

    def _is_new(self, event: Event) -> bool:
        """Each begins right after the last; one that took over folded places, maybe before."""
        if event.last_offset <= self.offset:
            return False
        if self.offset == 0:
            self.first = event.first_offset
        elif event.first_offset > self.offset + 1:
            found = event.first_offset
            raise GapError(f"GAP: expected the event at offset {self.offset + 1}, got {found}")
        self.offset = event.last_offset
        return True


class Text:
    """A message's text from pieces that may come twice, or folded into the whole message."""

    def __init__(self) -> None:
        self._length = 0

    def append(self, position: int, text: str) -> str:
        """What a piece adds; ``position`` counts bytes of UTF-8."""
        if position > self._length:  # its beginning is folded: the message follows
            return ""
        fresh = text.encode()[self._length - position :]
        self._length += len(fresh)
        return fresh.decode()
