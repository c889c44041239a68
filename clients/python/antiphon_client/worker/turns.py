"""A turn that a worker has."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from antiphon.dispatcher.v1.worker_pb2 import Answer, Ask, Assign, Finish, HeldTurn
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_client.worker.clock import now
from antiphon_client.worker.outbox import Outbox
from antiphon_client.worker.terms import Terms

MOST_ASKS = 1000
FAILED = "something went wrong at the worker, and its log says what"
"""What people are told who can't do anything about it."""
News: TypeAlias = Callable[["Turn"], None]


class Turn:
    """What is known of it and what it says, over all streams; one run of its handler.

    ``news`` is called when it has something to send.
    """

    def __init__(self, assign: Assign, terms: Terms, news: News) -> None:
        self.turn_id = assign.turn_id
        self.assign = assign
        self.task: asyncio.Task[None] | None = None
        """Its handler's."""
        self.is_closed = False
        self.regranted: Callable[[str], None] = lambda old: None
        """Told of the grant that another one has replaced."""
        self._news = news
        self._asks = 0
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._finish: Finish | None = None
        self._finish_sent = self._is_spoiled = False
        self._renewed = now()
        self.outbox = Outbox(assign.sequence, terms.window, self._has_news)
        self._adopt(assign, terms)

    def adopt(self, assign: Assign, terms: Terms) -> None:
        """Go on under a new fence: what was said behind what is stored is said again."""
        old = self.assign.grant
        self._adopt(assign, terms)
        self.outbox.rewind(assign.sequence)
        self._finish_sent = False
        if assign.grant != old:
            self.regranted(old)
        self._has_news()

    def detach(self) -> None:
        """The stream is gone: nothing is sent until it is assigned anew."""
        self.is_attached = False

    def renew(self, since: float) -> None:
        """Its lease counts anew from then, by :func:`now`."""
        self._renewed = max(self._renewed, since)

    @property
    def fence(self) -> int:
        """The number of its attempt, as the server has said it last."""
        return self.assign.fence

    @property
    def lapses_at(self) -> float:
        """When its worker lets go of it, by :func:`now`."""
        return self._renewed + self._terms.kept_s

    def held(self) -> HeldTurn:
        """What a hello says of it."""
        return HeldTurn(
            turn_id=self.turn_id,
            conversation_id=self.assign.conversation_id,
            fence=self.fence,
            sequence=self.outbox.sequence,
        )

    async def ask(self, ask: Ask) -> Answer:
        """Ask, and wait for the answer, over as many streams as it takes."""
        self._asks += 1  # in the order in which the work comes to them
        if self._asks > MOST_ASKS:
            raise ValueError(f"a turn asks at most {MOST_ASKS} times")
        number = ask.number = self._asks
        self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self.outbox.ask(ask)
            return await self._answers[number]
        finally:
            del self._answers[number]

    def answered(self, answer: Answer) -> None:
        """An ask has its answer."""
        self.outbox.answered(answer.number)
        waiting = self._answers.get(answer.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def finish(self, finish: Finish) -> None:
        """End it; said on each stream until :meth:`close`."""
        if self._finish is None:
            self._finish = finish
            self._has_news()

    def spoil(self, sequence: int, failure: str) -> None:
        """The server has not taken an output, or with 0 something else: all that is left to say is
        that the turn fails.
        """
        if not self._is_spoiled:
            self._is_spoiled = True
            self.outbox.end_before(sequence)
            self._finish, self._finish_sent = Finish(failure=failure), False
            self._stop()
            self._has_news()

    def next(self) -> WorkRequest | None:
        """What to send now of it; None also when its lease is over."""
        if self.is_closed or not self.is_attached or now() >= self.lapses_at:
            return None
        frame = self.outbox.next() or self._finishing()
        if frame is None:
            return None
        said = getattr(frame, frame.WhichOneof("frame") or "")
        said.turn_id, said.fence = self.turn_id, self.fence
        return frame

    def close(self) -> None:
        """It is over, or somebody else's: nothing more is said, and its handler is stopped."""
        self.is_closed = True
        self.outbox.close()
        self._stop()

    def _stop(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def _adopt(self, assign: Assign, terms: Terms) -> None:
        self.assign, self._terms = assign, terms
        self.outbox.window = terms.window
        self._renewed = now()
        self.is_attached = True

    def _finishing(self) -> WorkRequest | None:
        if self._finish is None or self._finish_sent or not self.outbox.is_said:
            return None
        self._finish_sent = True
        self._finish.sequence = self.outbox.sequence
        return WorkRequest(finish=self._finish)

    def _has_news(self) -> None:
        self._news(self)
