"""Messages on a Converse stream that wait for their answers, over reconnections."""

import asyncio
import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    Accepted,
    ConverseError,
    ConverseRequest,
)
from antiphon_client.errors import AntiphonError
from antiphon_client.status import error_of_status

AGAIN_S = (0.2, 0.5, 1.3, 3.0)
_MAX_OPEN = 256


@dataclass(slots=True)
class _Ask:
    request: ConverseRequest
    answer: asyncio.Future[Accepted]
    refusals: int = 0


class Asks:
    """What was asked and not yet answered, in order; all of it may be sent twice.

    Posts keep the order in which they were said: behind one that was refused for now, and goes
    again, the others wait. ``again_s`` are the pauses before it does.
    """

    def __init__(self, again_s: Sequence[float] = AGAIN_S) -> None:
        self._again_s = again_s
        self._open: dict[str, _Ask] = {}
        self._held: list[str] = []  # tags of posts, the one that is tried first
        self._pause: asyncio.TimerHandle | None = None
        self._count = 0
        self._room = asyncio.Semaphore(_MAX_OPEN)
        self.outbox: asyncio.Queue[ConverseRequest] = asyncio.Queue()

    async def ask(self, request: ConverseRequest) -> Accepted:
        """Send when there is a connection, and again on each new one until it is answered.

        Raises AntiphonError: the server's, or the stream's if that ends for good.
        """
        async with self._room:
            self._count += 1
            tag = request.tag = str(self._count)
            answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
            self._open[tag] = _Ask(request, answer)
            if self._held and request.HasField("post"):
                self._held.append(tag)
            else:
                self.outbox.put_nowait(request)
            try:
                return await answer
            finally:
                del self._open[tag]
                self._release(tag)

    @property
    def waiting(self) -> bool:
        """Whether something was asked and not yet answered."""
        return bool(self._open)

    def unanswered(self) -> Iterable[ConverseRequest]:
        """What a new connection is to be told first; the outbox begins anew."""
        self.outbox = asyncio.Queue()
        self._held.clear()
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        return [ask.request for ask in self._open.values()]

    def accepted(self, accepted: Accepted) -> None:
        """The answer to one."""
        ask = self._open.get(accepted.tag)
        if ask is not None and not ask.answer.done():
            ask.answer.set_result(accepted)

    def refused(self, refused: ConverseError) -> None:
        """One failed. It goes again if its server is stopping, be it another than the stream's.

        So it does if that can't reach another service, which may be started again: for 5 s.
        """
        error = error_of_status(refused.error)
        ask = self._open.get(refused.tag)
        if ask is None or ask.answer.done():
            return
        is_away = error.reason == "SERVICE_UNAVAILABLE" and ask.refusals < len(self._again_s)
        if not is_away and error.reason != "DRAINING":
            ask.answer.set_exception(error)
        elif ask.request.HasField("post"):
            self._hold(refused.tag)
        else:
            ask.refusals += 1
            pause = self._pause_after(ask)
            asyncio.get_running_loop().call_later(pause, self._send, refused.tag)

    def _pause_after(self, ask: _Ask) -> float:
        return self._again_s[min(ask.refusals, len(self._again_s)) - 1]

    def _hold(self, tag: str) -> None:
        """Keep a refused post. The first one's refusal counts for all that wait behind it."""
        if tag not in self._held:
            bisect.insort(self._held, tag, key=int)
        if tag != self._held[0] or self._pause is not None:
            return
        for each in self._held:
            self._open[each].refusals += 1
        pause = self._pause_after(self._open[tag])
        self._pause = asyncio.get_running_loop().call_later(pause, self._send_held)

    def _release(self, tag: str) -> None:
        """One is answered, or given up: what waited behind it goes next."""
        if tag in self._held:
            is_first = tag == self._held[0]
            self._held.remove(tag)
            if is_first and self._pause is None:
                self._send_held()

    def _send_held(self) -> None:
        self._pause = None
        if self._held:
            self._send(self._held[0])

    def _send(self, tag: str) -> None:
        ask = self._open.get(tag)
        if ask is not None and not ask.answer.done():
            self.outbox.put_nowait(ask.request)

    def fail(self, error: AntiphonError) -> None:
        """There will be no more connections."""
        for ask in self._open.values():
            if not ask.answer.done():
                ask.answer.set_exception(error)
