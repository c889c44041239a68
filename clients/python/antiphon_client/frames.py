"""What Subscribe and Converse have in common: frames, and how a watch ends."""

from collections.abc import Sequence

import grpc

from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseResponse
from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.event_service_pb2 import SubscribeResponse
from antiphon_client.errors import (
    AntiphonError,
    HistoryLost,
    PermissionDenied,
    Unauthenticated,
    connection_lost,
)
from antiphon_client.place import WATCH_ID, Place
from antiphon_client.redial import Redial
from antiphon_client.status import error_of_status

Frame = SubscribeResponse | ConverseResponse


class Cancelled(Exception):
    """The watch ended because this client asked for it."""


class Intake:
    """Takes a stream's frames in: moves the place, tells the redial, returns new events."""

    def __init__(self, place: Place, redial: Redial) -> None:
        self._place = place
        self._redial = redial

    def take(self, frame: Frame) -> Sequence[Event]:
        """The frame's new events; none for other frames.

        Raises Cancelled or AntiphonError if the frame says that the watch or stream ends,
        GapError if events are missing.
        """
        match frame.WhichOneof("frame"):
            case "batch":
                self._redial.progressed()
                return self._place.take(frame.batch)
            case "created":
                self._redial.connected()
                self._place.created(frame.created)
            case "progress":
                self._redial.progressed()
                self._place.progressed(frame.progress)
            case "draining":
                self._redial.hold(frame.draining.reconnect_after.ToTimedelta().total_seconds())
            case "ended" if frame.ended.watch_id in ("", WATCH_ID):
                raise ending(frame.ended)
        return ()


def ending(ended: stream_pb2.WatchEnded) -> AntiphonError | Cancelled:
    """Why a watch or the stream is over, as an exception."""
    error = error_of_status(ended.error) if ended.HasField("error") else None
    match ended.reason:
        case stream_pb2.CLOSE_REASON_CANCELLED:
            return Cancelled()
        case stream_pb2.CLOSE_REASON_ACCESS_REMOVED:
            gone = "access to the scope was removed"
            return error or PermissionDenied(grpc.StatusCode.PERMISSION_DENIED, gone)
        case stream_pb2.CLOSE_REASON_SESSION_ENDED:
            over = "the session has ended"
            return error or Unauthenticated(grpc.StatusCode.UNAUTHENTICATED, over)
        case stream_pb2.CLOSE_REASON_HISTORY_LOST:
            lost = "the events after the cursor are gone"
            return error or HistoryLost(grpc.StatusCode.OUT_OF_RANGE, lost)
        case stream_pb2.CLOSE_REASON_REJECTED:
            refused = "the watch was refused"
            return error or AntiphonError(grpc.StatusCode.UNKNOWN, refused, reason="REJECTED")
        case stream_pb2.CLOSE_REASON_SLOW_READER:
            return connection_lost("this client read too slowly")
        case _:
            return connection_lost("the server is stopping", error.retry_after if error else None)
