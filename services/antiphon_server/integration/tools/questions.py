"""What a tool's server asks people in the middle of a call, and what they say to it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NewType

from antiphon_server.integration.tools.places import Place
from antiphon_server.runtime.errors import DomainError, Reason

QuestionId = NewType("QuestionId", str)
MAX_STATE = 32 * 1024
"""Bytes of what a call goes on with."""


class Action(IntEnum):
    """What a person does with a question. Values are those of the contract's ToolAnswerAction."""

    ACCEPTED = 1
    DECLINED = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A question: ``schema`` is its answer's JSON Schema, ``url`` a page in place of that.

    ``meant`` is the same as its server has written it, where people are shown it otherwise.
    """

    question_id: QuestionId
    message: str
    schema: str = ""
    url: str = ""
    meant: "Question | None" = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question; ``content`` is what was answered."""

    action: Action
    content: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """A call that goes on with ``state`` when its questions are answered; nothing of it runs."""

    questions: tuple[Question, ...]
    state: bytes


class Attendance:
    """The people whom one call can ask; its time limits stand still while it does.

    Its places are others' then.

    ``tell`` shows a question, which :meth:`take` is told the answer to. ``state`` and ``answers``
    are those of a call that had paused.
    """

    def __init__(
        self,
        tell: Callable[[Question], Awaitable[object]],
        state: bytes = b"",
        answers: Mapping[QuestionId, Answer] | None = None,
    ) -> None:
        self._tell = tell
        self.look: Callable[[Question], Awaitable[Question]] | None = None
        """What is left of a question that people may see. Raises DomainError."""
        self.state = state
        self.answers = answers or {}
        self._waiting: dict[QuestionId, asyncio.Future[Answer]] = {}
        self._places: list[Place] = []
        self._limits: list[asyncio.Timeout] = []
        self._left: list[tuple[asyncio.Timeout, float]] = []

    async def ask(self, question: Question) -> Answer:
        """Ask while the call is held open. Raises DomainError if that is not to be asked."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[question.question_id] = answer
        try:
            with self._standing():
                await self._tell(await self.look(question) if self.look else question)
                said = await answer
        finally:
            del self._waiting[question.question_id]
        if not self._waiting:
            await asyncio.gather(*(it.take() for it in self._places))
        return said

    def take(self, question_id: QuestionId, answer: Answer) -> None:
        """Take the answer to what is asked; one that nobody waits for is left alone."""
        waiting = self._waiting.get(question_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    @asynccontextmanager
    async def place(self, places: asyncio.Semaphore) -> AsyncGenerator[None]:
        """One of the places, which others have while people are asked."""
        async with Place(places) as place:
            self._places.append(place)
            try:
                yield
            finally:
                self._places.remove(place)

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncGenerator[asyncio.Timeout]:
        """As :func:`asyncio.timeout`, without the time in which people are asked."""
        async with asyncio.timeout(seconds) as timeout:
            self._limits.append(timeout)
            try:
                yield timeout
            finally:
                self._limits.remove(timeout)

    @contextmanager
    def _standing(self) -> Generator[None]:
        now = asyncio.get_running_loop().time
        if len(self._waiting) == 1:
            whens = [(it, it.when()) for it in self._limits]
            self._left = [(it, when - now()) for it, when in whens if when is not None]
            _set(self._left, lambda _left: None)
            for place in self._places:
                place.give()
        try:
            yield
        finally:
            if len(self._waiting) == 1:
                _set(self._left, lambda left: now() + left)


def _set(
    limits: list[tuple[asyncio.Timeout, float]], when: Callable[[float], float | None]
) -> None:
    for limit, left in limits:
        with suppress(RuntimeError):  # it is over
            limit.reschedule(when(left))


def too_many(rounds: int) -> DomainError:
    """Why a call ends whose server asks again and again."""
    return DomainError(Reason.LIMIT_EXCEEDED, limit=f"{rounds} rounds of questions a call")
