"""What a turn has said: numbered, in order, and kept until it is stored."""

import asyncio
from collections import deque
from collections.abc import Callable

from antiphon.dispatcher.v1.worker_pb2 import Ask, Output
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_client.worker.pacing import PacedText, pieces_of


class Outbox:
    """A turn's outputs and asks.

    At most ``window`` of them are on their way, and as many wait besides one frame of text; who
    writes more waits. ``news`` is called when there is something to send.
    """

    def __init__(self, sequence: int, window: int, news: Callable[[], None]) -> None:
        self.sequence = sequence
        """The number of the newest output."""
        self.window = window
        self._news = news
        self._text = PacedText()
        self._unsent: deque[WorkRequest] = deque()
        self._sent: deque[WorkRequest] = deque()
        self._moved = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def write(self, text: str) -> None:
        """Put text behind what was said. Raises CancelledError when the turn is over."""
        for piece in pieces_of(text):
            await self._until(lambda piece=piece: self._text.takes(piece))  # type: ignore[misc]
            self._text.add(piece)
            self._news()

    async def put(self, output: Output) -> int:
        """Say something else; returns its number. Raises CancelledError when the turn is over."""
        await self._until(lambda: len(self._unsent) < self.window)
        self._flush()
        if output.HasField("progress") and self._replaces_progress(output):
            return self.sequence
        self._number(output)
        return self.sequence

    async def ask(self, ask: Ask) -> None:
        """Ask behind what was said. Raises CancelledError when the turn is over."""
        await self._until(lambda: len(self._unsent) < self.window)
        self._flush()
        self._unsent.append(WorkRequest(ask=ask))
        self._news()

    @property
    def is_said(self) -> bool:
        """Whether all is on its way."""
        return not self._unsent and not self._text.size

    def next(self) -> WorkRequest | None:
        """What to send now; from then on it is on its way."""
        if len(self._sent) >= self.window:
            return None
        if not self._unsent:
            self._flush_due()
        if not self._unsent:
            return None
        frame = self._unsent.popleft()
        self._sent.append(frame)
        self._moved.set()
        return frame

    def stored(self, sequence: int) -> None:
        """Forget the outputs up to a number: they are stored."""
        self._keep(lambda it: it.HasField("ask") or it.output.sequence > sequence)

    def answered(self, number: int) -> None:
        """Forget an ask: it is answered."""
        self._keep(lambda it: it.HasField("output") or it.ask.number != number)

    def rewind(self, sequence: int) -> None:
        """Say all again that is not stored: a new stream begins behind that number."""
        self.stored(sequence)
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def end_before(self, sequence: int) -> None:
        """Say nothing more; what was sent from that number on was not taken. 0: all was."""
        unsent = sum(it.HasField("output") for it in self._unsent)
        self.sequence = sequence - 1 if sequence else self.sequence - unsent
        self.close()

    def close(self) -> None:
        """Drop all: nothing more is said."""
        self._is_closed = True
        self._unsent.clear()
        self._sent.clear()
        self._text = PacedText()
        if self._timer is not None:
            self._timer.cancel()
        self._moved.set()

    async def _until(self, has_room: Callable[[], bool]) -> None:
        while not self._is_closed and not has_room():
            self._moved.clear()
            await self._moved.wait()
        if self._is_closed:
            raise asyncio.CancelledError("the turn is over")

    def _keep(self, wanted: Callable[[WorkRequest], bool]) -> None:
        self._sent = deque(filter(wanted, self._sent))
        self._moved.set()
        self._news()

    def _number(self, output: Output) -> None:
        self.sequence += 1
        output.sequence = self.sequence
        self._unsent.append(WorkRequest(output=output))
        self._news()

    def _replaces_progress(self, output: Output) -> bool:
        """News for people that are out of date before they were sent are not sent."""
        last = self._unsent[-1] if self._unsent else None
        if last is None or not last.output.HasField("progress"):
            return False
        last.output.progress.CopyFrom(output.progress)
        return True

    def _flush(self) -> None:
        if self._text.size:
            self._number(Output(text=self._text.take()))

    def _flush_due(self) -> None:
        """Send the text if it is time to, or else then."""
        if not self._text.size:
            return
        loop = asyncio.get_running_loop()
        if self._text.due <= loop.time():
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_at(self._text.due, self._timed)

    def _timed(self) -> None:
        self._timer = None
        self._news()
