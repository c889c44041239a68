"""Messages on a Converse stream that wait for their answers, over reconnections."""

import asyncio
from collections.abc import Iterable, Sequence

from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    Accepted,
    ConverseError,
    ConverseRequest,
)
from antiphon_client.errors import AntiphonError
from antiphon_client.status import error_of_status

AGAIN_S = (0.2, 0.5, 1.3, 3.0)
_MAX_OPEN = 256


class Asks:
    """What was asked and not yet answered, in order; all of it may be sent twice.

    ``again_s`` are the pauses after which a refusal is tried again that may pass.
    """

    def __init__(self, again_s: Sequence[float] = AGAIN_S) -> None:
        self._again_s = again_s
        self._open: dict[str, tuple[ConverseRequest, asyncio.Future[Accepted]]] = {}
        self._refusals: dict[str, int] = {}
        self._count = 0
        self._room = asyncio.Semaphore(_MAX_OPEN)
        self.outbox: asyncio.Queue[ConverseRequest] = asyncio.Queue()

    async def ask(self, request: ConverseRequest) -> Accepted:
        """Send when there is a connection, and again on each new one until it is answered.

        Raises AntiphonError: the server's, or the stream's if that ends for good.
        """
        async with self._room:
            self._count += 1
            request.tag = str(self._count)
            answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
            self._open[request.tag] = (request, answer)
            self.outbox.put_nowait(request)
            try:
                return await answer
            finally:
                self._open.pop(request.tag, None)
                self._refusals.pop(request.tag, None)

    def unanswered(self) -> Iterable[ConverseRequest]:
        """What a new connection is to be told first; the outbox begins anew."""
        self.outbox = asyncio.Queue()
        return [request for request, _ in self._open.values()]

    def accepted(self, accepted: Accepted) -> None:
        """The answer to one."""
        _, answer = self._open.get(accepted.tag, (None, None))
        if answer is not None and not answer.done():
            answer.set_result(accepted)

    def refused(self, refused: ConverseError) -> None:
        """One failed. A server that is stopping will be asked again after it.

        So is one that can't reach another service, which may be started again: for 5 s.
        """
        error = error_of_status(refused.error)
        _, answer = self._open.get(refused.tag, (None, None))
        if answer is None or answer.done() or error.reason == "DRAINING":
            return
        count = self._refusals.get(refused.tag, 0)
        if error.reason == "SERVICE_UNAVAILABLE" and count < len(self._again_s):
            self._refusals[refused.tag] = count + 1
            asyncio.get_running_loop().call_later(self._again_s[count], self._again, refused.tag)
        else:
            answer.set_exception(error)

    def _again(self, tag: str) -> None:
        request, answer = self._open.get(tag, (None, None))
        if request is not None and answer is not None and not answer.done():
            self.outbox.put_nowait(request)

    def fail(self, error: AntiphonError) -> None:
        """There will be no more connections."""
        for _, answer in self._open.values():
            if not answer.done():
                answer.set_exception(error)
