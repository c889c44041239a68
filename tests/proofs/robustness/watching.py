"""One scope as raw frames tell it, judged by the rules of a watch."""

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_service_pb2 import FollowResponse, SubscribeResponse
from antiphon_client.status import error_of_status
from tests.proofs.robustness.history import Reader

RawFrame = SubscribeResponse | FollowResponse
# A watch may be refused so, and be asked for again.
FOR_NOW = frozenset({"STORE_UNAVAILABLE", "OVERLOADED", "DRAINING", "TOKEN_EXPIRED"})


@dataclass(slots=True)
class Watching:
    """A watch over any number of streams: where it is, and whether it may speak now.

    ``asked`` says that its creation was sent; ``leaving`` is how many requests to end it
    are unanswered. What breaks the rules is noted with the reader.
    """

    watch_id: str
    scope: str
    reader: Reader
    cursor: str = ""
    asked: bool = False
    open: bool = False
    leaving: int = 0

    def request(self) -> stream_pb2.Watch:
        """The watch to ask for, from where it was left."""
        self.asked = True
        return stream_pb2.Watch(
            watch_id=self.watch_id,
            scope=self.scope,
            cursor=self.cursor,
            start=stream_pb2.START_POSITION_EARLIEST,
        )

    def new_stream(self) -> None:
        """Another stream knows nothing of the watch."""
        self.asked = self.open = False
        self.leaving = 0

    def take(self, frame: RawFrame) -> None:
        """Take in what a stream says of this watch."""
        match frame.WhichOneof("frame"):
            case "batch":
                self._take_batch(frame.batch)
            case "created":
                self._take_created(frame.created)
            case "ended":
                self._take_end(frame.ended)

    def progressed(self, cursor: str) -> None:
        """Everything up to there was delivered."""
        if not self.open:
            self._broken("progress of a watch that is not open")
        self.cursor = cursor

    def _take_batch(self, batch: stream_pb2.EventBatch) -> None:
        if not self.open:
            self._broken("a batch of a watch that is not open")
        for event in batch.events:
            if event.scope != self.scope:
                self._broken(f"an event of {event.scope}")
            self.reader.note(event)
        self.cursor = batch.cursor

    def _take_created(self, created: stream_pb2.WatchCreated) -> None:
        if self.open or not self.asked:
            self._broken("a watch was created twice, or unasked")
        if self.cursor and created.cursor != self.cursor:
            self._broken("a watch began elsewhere than it was asked to")
        self.open, self.cursor = True, created.cursor

    def _take_end(self, ended: stream_pb2.WatchEnded) -> None:
        reason = stream_pb2.CloseReason.Name(ended.reason).removeprefix("CLOSE_REASON_")
        error = error_of_status(ended.error) if ended.HasField("error") else None
        if reason == "HISTORY_LOST" and error is not None:
            self.lost(error.metadata)
        elif reason == "CANCELLED":
            self._left()
            return
        elif error is None or error.reason not in FOR_NOW:
            self._broken(f"was ended: {reason} {error}")
        self.asked = self.open = False

    def _left(self) -> None:
        """A request to end the watch was answered; it may have ended before, for another reason."""
        if not self.leaving:
            self._broken("was ended as cancelled, unasked")
        self.leaving -= 1
        if self.open:
            self.asked = self.open = False

    def lost(self, metadata: Mapping[str, str]) -> None:
        """History is gone: begin again where it begins now."""
        self.cursor = metadata.get("earliest_cursor", "")
        earliest = metadata.get("earliest_offset", "")
        if not (self.cursor and earliest.isdigit()):
            self._broken("history was lost, but not where it begins now")
            return
        self.reader.lost(int(earliest))

    def _broken(self, what: str) -> None:
        self.reader.faults.append(f"{self.watch_id}: {what}")
