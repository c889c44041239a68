"""People answer what calls' tools ask."""

from antiphon_server.dispatcher.answer_forms import check_content
from antiphon_server.dispatcher.decisions import stored_calls
from antiphon_server.dispatcher.lane import ActiveTurn, Lanes
from antiphon_server.dispatcher.model import (
    AnswerAction,
    ConversationId,
    PastCall,
    PastQuestion,
    QuestionAnswered,
    TurnId,
)
from antiphon_server.dispatcher.ports import Journal, TurnStore
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found


class Answers:
    """Writes an answer into the log; the first one to a question counts."""

    def __init__(self, store: TurnStore, journal: Journal, lanes: Lanes) -> None:
        self._store = store
        self._journal = journal
        self._lanes = lanes

    async def first(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        wish: QuestionAnswered,
        digest: bytes,
    ) -> QuestionAnswered | None:
        """The first answer to a question; None if it waits for one. Raises as :meth:`answer`."""
        active = self._lanes.find(conversation_id, turn_id)
        if active is None:
            calls = await stored_calls(self._store, self._journal, conversation_id, turn_id)
            return _answered(calls, wish, digest)
        return _first(active, wish, digest)

    async def answer(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        wish: QuestionAnswered,
        digest: bytes,
    ) -> QuestionAnswered:
        """Answer a question or decline to; returns the first answer, perhaps another's.

        Raises DomainError NOT_FOUND, TOOL_CALL_CHANGED if ``digest`` is not the question's,
        INVALID_ARGUMENT for an answer that it does not allow, PERMISSION_DENIED if it is asked of
        somebody else, TOOL_CALL_ENDED if it waits no more and nobody had answered, DRAINING.
        """
        active = self._lanes.find(conversation_id, turn_id)
        if active is None:
            calls = await stored_calls(self._store, self._journal, conversation_id, turn_id)
            return _answered(calls, wish, digest)
        async with active.calls.deciding:
            if (first := _first(active, wish, digest)) is not None:
                return first
            answered = await self._written(active, wish, digest)
            active.calls.note(answered)
        return answered

    async def _written(
        self, active: ActiveTurn, wish: QuestionAnswered, digest: bytes
    ) -> QuestionAnswered:
        """Commit the answer; one of a call before whose own answer was lost stands."""
        try:
            request_id = f"{wish.answer.question_id}:answered"
            await self._journal.write(active.turn, [wish], request_id=request_id)
        except DomainError as error:
            if error.reason is Reason.FENCED:  # another server has the turn by now
                raise DomainError(Reason.DRAINING, retry_after=0.25) from error
            if error.reason is not Reason.REQUEST_ID_REUSED:
                raise
            past = await self._journal.past(active.turn, active.turn.cursor)
            return _answered(ToolCalls(past.calls), wish, digest)
        return wish


def _first(active: ActiveTurn, wish: QuestionAnswered, digest: bytes) -> QuestionAnswered | None:
    """The first answer; None if it waits for one, which the wish may be. Raises DomainError."""
    call, found = _checked(active.calls, wish, digest)
    if found.answered is None:
        if active.calls.closed or not _waits(active.calls, call):
            raise DomainError(Reason.TOOL_CALL_ENDED, tool_call_id=wish.call_id)
        _check(found, wish)
    return found.answered


def _check(found: PastQuestion, wish: QuestionAnswered) -> None:
    """Raises DomainError INVALID_ARGUMENT for an answer that the question does not allow."""
    question, answer = found.asked.question, wish.answer
    if answer.action is AnswerAction.ACCEPTED and question.schema:
        check_content(question.schema, answer.content)
    elif answer.content:
        raise invalid("content_json", "empty: nothing is told with it")


def _checked(
    calls: ToolCalls, wish: QuestionAnswered, digest: bytes
) -> tuple[PastCall, PastQuestion]:
    call = calls.find(wish.call_id)
    found = call.question(wish.answer.question_id) if call is not None else None
    if call is None or found is None:
        raise not_found(wish.answer.question_id)
    if found.asked.question.digest != digest:
        raise DomainError(Reason.TOOL_CALL_CHANGED, tool_call_id=wish.call_id)
    if found.asked.question.asked_of not in ("", wish.actor):
        raise DomainError(Reason.PERMISSION_DENIED, permission="WHO_IS_ASKED")
    return call, found


def _answered(calls: ToolCalls, wish: QuestionAnswered, digest: bytes) -> QuestionAnswered:
    _, found = _checked(calls, wish, digest)
    if found.answered is None:
        raise DomainError(Reason.TOOL_CALL_ENDED, tool_call_id=wish.call_id)
    return found.answered


def _waits(calls: ToolCalls, call: PastCall) -> bool:
    """Whether the call goes on by an answer: one that was held open elsewhere is over."""
    return call.finished is None and not calls.is_lost(call.call.call_id)
