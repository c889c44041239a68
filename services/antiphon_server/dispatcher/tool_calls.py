"""The calls of tools in a turn, as its log has them."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from antiphon_server.dispatcher.model import (
    CallOutcome,
    CallPaused,
    CallStep,
    PastCall,
    PastQuestion,
    QuestionAnswered,
    QuestionAsked,
    QuestionId,
    Resumed,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallId,
    ToolCallProposed,
    ToolCallStarted,
)
from antiphon_server.runtime.errors import DomainError, Reason


class ToolCalls:
    """What is committed of a turn's calls. ``deciding`` orders who decides and answers.

    Those of ``past`` are of earlier attempts: one of them that was started and has not ended
    may have run or not.
    """

    def __init__(self, past: Iterable[PastCall] = ()) -> None:
        self._calls = {it.call.call_id: it for it in past}
        self._lost = {it.call.call_id for it in self._calls.values() if _runs(it)}
        self._awaited: dict[ToolCallId, asyncio.Future[ToolCallDecided]] = {}
        self._unanswered: dict[QuestionId, asyncio.Future[QuestionAnswered]] = {}
        self.deciding = asyncio.Lock()
        self.closed = False

    def begin_again(self) -> None:
        """Note that the attempt is lost that has started those which have not ended."""
        self._lost = {it.call.call_id for it in self._calls.values() if _runs(it)}

    @property
    def all(self) -> tuple[PastCall, ...]:
        """All of them, in the order they were proposed."""
        return tuple(self._calls.values())

    def find(self, call_id: ToolCallId) -> PastCall | None:
        """The call; None if none of that id was proposed."""
        return self._calls.get(call_id)

    def is_lost(self, call_id: ToolCallId) -> bool:
        """Whether an earlier attempt started it, and nobody knows what became of it."""
        return call_id in self._lost

    def note(self, step: CallStep, text_before: int = 0) -> None:
        """Note what was committed. Of several decisions the first one counts."""
        match step:
            case ToolCallProposed(call, asks, _):
                self._calls[call.call_id] = PastCall(call, asks, text_before)
            case ToolCallStarted(call):
                self._change(call.call_id, started=True)
            case ToolCallFinished():
                self._lost.discard(step.call_id)
                self._change(step.call_id, finished=step)
            case ToolCallDecided():
                self._note_decision(step)
            case QuestionAsked():
                self._note_question(step)
            case QuestionAnswered():
                self._note_answer(step)
            case _:
                assert_never(step)

    async def decision(self, call_id: ToolCallId) -> ToolCallDecided:
        """The decision about a call, when there is one."""
        decided = self._calls[call_id].decided
        if decided is not None:
            return decided
        future = self._awaited.setdefault(call_id, asyncio.get_running_loop().create_future())
        return await future

    async def answer(self, call_id: ToolCallId, question_id: QuestionId) -> QuestionAnswered:
        """The answer to a call's question, when there is one."""
        found = self._calls[call_id].question(question_id)
        if found is not None and found.answered is not None:
            return found.answered
        future = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._unanswered.setdefault(question_id, future))

    def resumed(self, call_id: ToolCallId) -> Resumed:
        """What a call goes on with behind its last pause."""
        call = self._calls[call_id]
        if call.pause is None:
            return Resumed()
        asked = [call.question(it.question_id) for it in call.pause.questions]
        answers = [it.answered.answer for it in asked if it is not None and it.answered]
        return Resumed(call.pause.state, tuple(answers))

    @property
    def ends(self) -> list[ToolCallFinished]:
        """How those end that have no end, if nobody goes on with them."""
        return [self._end(it) for it in self._calls.values() if it.finished is None]

    async def close(self) -> list[ToolCallFinished]:
        """Take no more decisions; returns the ends of those that have none."""
        async with self.deciding:
            self.closed = True
        return self.ends

    def _end(self, call: PastCall) -> ToolCallFinished:
        call_id = call.call.call_id
        if not self.is_lost(call_id):
            return ToolCallFinished(call_id, CallOutcome.CANCELLED)
        return lost(call)

    def _note_decision(self, step: ToolCallDecided) -> None:
        first = self._calls[step.call_id].decided or step
        self._change(step.call_id, decided=first)
        future = self._awaited.pop(step.call_id, None)
        if future is not None and not future.done():
            future.set_result(first)

    def _note_question(self, step: QuestionAsked) -> None:
        """The first of a pause has its state; those that follow before the next start are of it."""
        self._lost.discard(step.call_id)  # it is made again, and goes on by the answer
        call = self._calls[step.call_id]
        self._change(step.call_id, questions=(*call.questions, PastQuestion(step)))
        if step.state:
            pause = CallPaused((step.question,), step.state)
            self._change(step.call_id, pause=pause, started=False)
        elif call.paused and call.pause is not None:
            questions = (*call.pause.questions, step.question)
            self._change(step.call_id, pause=replace(call.pause, questions=questions))

    def _note_answer(self, step: QuestionAnswered) -> None:
        question_id = step.answer.question_id
        questions = [
            replace(it, answered=it.answered or step) if it.question_id == question_id else it
            for it in self._calls[step.call_id].questions
        ]
        self._change(step.call_id, questions=tuple(questions))
        future = self._unanswered.pop(question_id, None)
        if future is not None and not future.done():
            future.set_result(step)

    def _change(self, call_id: ToolCallId, **news: object) -> None:
        self._calls[call_id] = replace(self._calls[call_id], **news)  # type: ignore[arg-type]


def lost(call: PastCall) -> ToolCallFinished:
    """The end of a call that may have run or not."""
    error = DomainError(Reason.TOOL_CALL_LOST, tool=call.call.tool)
    return ToolCallFinished(call.call.call_id, CallOutcome.UNKNOWN, error=error)


def _runs(call: PastCall) -> bool:
    return call.started and call.finished is None
