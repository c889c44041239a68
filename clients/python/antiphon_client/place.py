"""Where a reader is in one scope's log, and the check that it missed nothing."""

from collections.abc import Iterable

import grpc

from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_pb2 import Event, EventKind
from antiphon_client.errors import GapError

WATCH_ID = "1"


class Place:
    """A position that moves forward as frames come.

    ``cursor`` is where to resume; ``offset`` is the last place in the log that was seen,
    None while that is not known. With ``kinds`` set events are left out on purpose, so
    gaps can't be told by offsets; what was seen already is dropped all the same.
    """

    def __init__(
        self,
        scope: str,
        cursor: str = "",
        *,
        offset: int | None = None,
        earliest: bool = False,
        kinds: Iterable[EventKind.ValueType] = (),
        ephemeral: bool = False,
        max_batch_events: int = 0,
    ) -> None:
        self.scope = scope
        self.cursor = cursor
        self.offset = offset
        self._earliest = earliest
        self._kinds = tuple(kinds)
        self._ephemeral = ephemeral
        self._max_batch_events = max_batch_events

    def watch(self) -> stream_pb2.Watch:
        """What to ask the server for."""
        latest, earliest = stream_pb2.START_POSITION_LATEST, stream_pb2.START_POSITION_EARLIEST
        return stream_pb2.Watch(
            watch_id=WATCH_ID,
            scope=self.scope,
            cursor=self.cursor,
            start=earliest if self._earliest else latest,
            kinds=self._kinds,
            ephemeral=self._ephemeral,
            max_batch_events=self._max_batch_events,
        )

    def created(self, created: stream_pb2.WatchCreated) -> None:
        """The watch is in place: from now on there is a position to resume from."""
        self.cursor = self.cursor or created.cursor

    def progressed(self, progress: stream_pb2.Progress) -> None:
        """Everything up to a later position was delivered or filtered out."""
        for watch in progress.watches:
            if watch.watch_id == WATCH_ID:
                self.cursor = watch.cursor

    def restart(self, cursor: str) -> None:
        """Go on somewhere else, after history was lost."""
        self.cursor = cursor
        self.offset = None

    def take(self, batch: stream_pb2.EventBatch) -> list[Event]:
        """The batch's events that are new, in order; the position moves behind them.

        Raises GapError if one is missing before them.
        """
        fresh = [event for event in batch.events if self._is_new(event)]
        self.cursor = batch.cursor
        return fresh

    def _is_new(self, event: Event) -> bool:
        if event.ephemeral:
            return True
        if self.offset is not None:
            if event.last_offset <= self.offset:
                return False
            if event.first_offset > self.offset + 1 and not self._kinds:
                raise _gap(self.scope, self.offset + 1, event.first_offset)
        self.offset = event.last_offset
        return True


def _gap(scope: str, expected: int, found: int) -> GapError:
    return GapError(
        grpc.StatusCode.DATA_LOSS,
        f"{scope}: expected the event at offset {expected}, got the one at {found}",
        reason="GAP",
        metadata={
            "scope": scope,
            "expected_offset": str(expected),
            "found_offset": str(found),
        },
    )
