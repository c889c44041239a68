"""The people of a conversation, as a call's tool meets them: asked, waited for, answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.model import (
    Answer,
    AnswerAction,
    CallPaused,
    Question,
    QuestionAnswered,
    QuestionAsked,
    QuestionId,
    Resumed,
    ToolCall,
    ToolCallId,
    ToolCallStarted,
)
from antiphon_server.dispatcher.resting import Rest

T = TypeVar("T")
HELD_S = 300.0
"""So long a call is held open for an answer."""
LOOK_S = 60.0
"""Clocks may be set while a call has paused: so often it is looked how long it is still."""


class Attending:
    """See :class:`~antiphon_server.dispatcher.handling.Attendance`: that of one call.

    Each question is committed before it is shown, and each answer before the call goes on. The turn
    rests meanwhile; ``waited_s`` is for how long.
    """

    def __init__(
        self,
        call: ToolCall,
        writer: TextWriter,
        rest: Rest,
        waits: Callable[[ToolCallId, str], Awaitable[None]],
    ) -> None:
        self._waits = waits
        self._call = call
        self._writer = writer
        self._calls = writer.calls
        self._rest = rest
        self.waited_s = 0.0

    @property
    def resumed(self) -> Resumed:
        """See :attr:`Attendance.resumed`."""
        return self._calls.resumed(self._call.call_id)

    async def ask(self, question: Question) -> Answer:
        """See :meth:`Attendance.ask`."""
        expires_us = int((time.time() + HELD_S) * 1e6)
        await self._say(QuestionAsked(self._call.call_id, question, expires_us=expires_us))
        await self._waits(self._call.call_id, question.question_id)
        answered = await self._waiting(self._in_time(question.question_id), held=True)
        return answered.answer

    async def until(self, done: Awaitable[T]) -> T:
        """See :meth:`Attendance.until`."""
        return await self._waiting(done)

    async def pause(self, paused: CallPaused) -> None:
        """Ask all that it wants to know, and start it again when that is answered."""
        states = [paused.state, *(b"" for _ in paused.questions[1:])]
        asked = zip(paused.questions, states, strict=True)
        until = int((time.time() + paused.wait_s) * 1e6) if paused.wait_s else 0
        call_id = self._call.call_id
        await self._say(*(QuestionAsked(call_id, it, state, until) for it, state in asked))
        await self.answered()

    async def answered(self) -> None:
        """Wait until the questions of its pause are answered, and start it again."""
        known = self._calls.find(self._call.call_id)
        assert known is not None, "it was proposed"
        assert known.pause is not None, "it has paused"
        for question in known.pause.questions:
            await self._waits(self._call.call_id, question.question_id)
            await self._waiting(self._by_its_time(question.question_id))
        await self._writer.record(ToolCallStarted(self._call))

    async def _say(self, *asked: QuestionAsked) -> None:
        async with self._calls.deciding:  # who sees it in the log may answer at once
            await self._writer.record(*asked)

    async def _waiting(self, answer: Awaitable[T], *, held: bool = False) -> T:
        began = time.monotonic()
        try:
            return await self._rest.until(answer, held=held)
        finally:
            self.waited_s += time.monotonic() - began

    async def _answer(self, question_id: QuestionId) -> QuestionAnswered:
        return await self._calls.answer(self._call.call_id, question_id)

    async def _in_time(self, question_id: QuestionId) -> QuestionAnswered:
        """The answer; when it is time, that nobody has said anything."""
        try:
            async with asyncio.timeout(HELD_S):
                return await self._answer(question_id)
        except TimeoutError:
            return await self._put_away(question_id)

    async def _by_its_time(self, question_id: QuestionId) -> QuestionAnswered:
        """The same of one that waits through restarts, perhaps without limit."""
        known = self._calls.find(self._call.call_id)
        found = known.question(question_id) if known is not None else None
        if found is None or not found.asked.expires_us:
            return await self._answer(question_id)
        while (left_s := found.asked.expires_us / 1e6 - time.time()) > 0:
            try:
                async with asyncio.timeout(min(left_s, LOOK_S)):
                    return await self._answer(question_id)
            except TimeoutError:
                continue
        return await self._put_away(question_id)

    async def _put_away(self, question_id: QuestionId) -> QuestionAnswered:
        async with self._calls.deciding:
            known = self._calls.find(self._call.call_id)
            found = known.question(question_id) if known is not None else None
            if found is not None and found.answered is None:
                put_away = Answer(question_id, AnswerAction.CANCELLED)
                await self._writer.record(QuestionAnswered(self._call.call_id, put_away))
        return await self._answer(question_id)
