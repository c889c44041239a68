"""What is to be sent on a worker's stream."""

import asyncio
from collections import deque

from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_client.worker.turns import Turn


class Outgoing:
    """Frames of the worker itself, before those of its turns, which take turns with one another.

    Outlives streams. Without one nothing of the worker itself is kept: a hello says it all.
    """

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._is_open = False
        self._frames: deque[WorkRequest] = deque()
        self._turns: dict[str, Turn] = {}

    def open(self) -> None:
        """A stream begins."""
        self._is_open = True
        self.news.set()

    def close(self) -> None:
        """The stream is gone."""
        self._is_open = False
        self._frames.clear()

    def say(self, frame: WorkRequest) -> None:
        """Send a frame of the worker itself."""
        if self._is_open:
            self._frames.append(frame)
            self.news.set()

    def mark(self, turn: Turn) -> None:
        """A turn has something to send, or may have."""
        self._turns[turn.turn_id] = turn
        self.news.set()

    def next(self) -> WorkRequest | None:
        """The next frame, if there is one now."""
        if self._frames:
            return self._frames.popleft()
        while self._turns:
            turn_id = next(iter(self._turns))
            turn = self._turns.pop(turn_id)
            if (frame := turn.next()) is not None:
                self._turns[turn_id] = turn  # behind the others
                return frame
        return None
