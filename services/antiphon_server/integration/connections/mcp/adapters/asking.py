"""What a server asks in the middle of a call: of people, who may be there or not.

A server of 2026-07-28 ends its answer with questions, and is called again with what was said to
them (``input_required``): the call pauses. One of 2025-11-25 asks while the call is open, by a
request of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias

import mcp_types as types
import msgspec
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from antiphon_server.integration.tools.forms import NotShown, form, page
from antiphon_server.integration.tools.model import Call
from antiphon_server.integration.tools.questions import (
    MAX_STATE,
    Action,
    Answer,
    Attendance,
    Pause,
    Question,
    QuestionId,
    too_many,
)
from antiphon_server.runtime.errors.domain_error import DomainError, Reason

MOST_AT_ONCE = 8
STATE_ONLY_S = 0.1
"""So long a server is left alone that asks nothing, and wants to be called again."""
RUNNING: ContextVar["Asking | None"] = ContextVar("mcp_call", default=None)
"""The call whose answer is read in this context: over HTTP its questions come with it."""
Send: TypeAlias = Callable[
    [types.InputResponses | None, str | None], Awaitable[types.CallToolResult]
]
_ACTIONS: Mapping[Action, Any] = {
    Action.ACCEPTED: "accept",
    Action.DECLINED: "decline",
    Action.CANCELLED: "cancel",
}


class InputRequired(Exception):
    """The server wants to be called again, with answers."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("input required")
        self.result = result


class PausingClient(Client):
    """The SDK's client, which leaves it to its caller to answer and to call again."""

    async def _drive_input_required(self, first: Any, retry: Any) -> Any:
        """See the SDK: it would have everything answered while it waits."""
        if isinstance(first, types.InputRequiredResult):
            raise InputRequired(first)
        return first


class _State(msgspec.Struct):
    """What a call goes on with: its rounds so far, the server's state, who asked what."""

    rounds: int
    request_state: str | None
    keys: dict[str, str]


class Asking:
    """The questions of one call, in so many rounds at most."""

    def __init__(self, call: Call, max_rounds: int) -> None:
        self._call, self._max_rounds = call, max_rounds
        self._rounds = 0
        self._limit: asyncio.Timeout | None = None
        self.refused: DomainError | None = None

    async def answered(self, send: Send, limit: asyncio.Timeout) -> types.CallToolResult | Pause:
        """Call, and call again as long as nobody has to be asked for it.

        Raises DomainError TOOL_FAILED, LIMIT_EXCEEDED, and what ``send`` raises.
        """
        self._limit = limit
        responses, state = self._resumed()
        while True:
            try:
                return await send(responses, state)
            except InputRequired as required:
                wanted = required.result
            self._count()
            asked = self._asked(wanted.input_requests or {})
            if asked and self._call.attendance is not None:
                return self._pause(wanted.request_state, asked)
            if not asked:
                await asyncio.sleep(STATE_ONLY_S)
            responses = {key: _told(Answer(Action.DECLINED)) for key in asked} or None
            state = wanted.request_state

    async def ask(self, params: types.ElicitRequestParams) -> types.ElicitResult | types.ErrorData:
        """Ask people while the call is open; after too many rounds the call ends."""
        try:
            self._count()
            question = _question(params)
        except NotShown as why:
            return types.ErrorData(code=types.INVALID_PARAMS, message=str(why))
        except DomainError as refused:
            self._end(refused)
            return _told(Answer(Action.CANCELLED))
        there = self._call.attendance
        return _told(await there.ask(question) if there else Answer(Action.DECLINED))

    def _end(self, refused: DomainError) -> None:
        """End the call, which waits for its server."""
        self.refused = refused
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())

    def _count(self) -> None:
        self._rounds += 1
        if self._rounds > self._max_rounds:
            raise too_many(self._max_rounds)

    def _asked(self, requests: Mapping[str, types.InputRequest]) -> dict[str, Question]:
        """What is asked of people. Raises MCPError for what nobody here answers."""
        if len(requests) > MOST_AT_ONCE:
            raise self._failed(f"it asks more than {MOST_AT_ONCE} questions at once")
        found = {}
        for key, request in requests.items():
            if not isinstance(request, types.ElicitRequest):
                raise MCPError(types.INVALID_REQUEST, f"{request.method} is not offered")
            try:
                found[key] = _question(request.params)
            except NotShown as why:
                raise self._failed(str(why)) from why
        return found

    def _pause(self, state: str | None, asked: Mapping[str, Question]) -> Pause:
        keys: dict[str, str] = {question.question_id: key for key, question in asked.items()}
        kept = msgspec.json.encode(_State(self._rounds, state, keys))
        if len(kept) > MAX_STATE:
            raise self._failed("its state is longer than 32 KiB")
        return Pause(tuple(asked.values()), kept)

    def _resumed(self) -> tuple[types.InputResponses | None, str | None]:
        there = self._call.attendance
        if there is None or not there.state:
            return None, None
        kept = msgspec.json.decode(there.state, type=_State)
        self._rounds = kept.rounds
        return _responses(there, kept.keys), kept.request_state

    def _failed(self, why: str) -> DomainError:
        return DomainError(Reason.TOOL_FAILED, tool=self._call.tool, why=why)


def _responses(there: Attendance, keys: Mapping[str, str]) -> types.InputResponses:
    nobody = Answer(Action.CANCELLED)
    answers = {key: there.answers.get(QuestionId(it), nobody) for it, key in keys.items()}
    return {key: _told(answer) for key, answer in answers.items()}


def _question(params: types.ElicitRequestParams) -> Question:
    if isinstance(params, types.ElicitRequestURLParams):
        return page(params.message, params.url)
    return form(params.message, params.requested_schema)


def _told(answer: Answer) -> types.ElicitResult:
    content = answer.content if answer.action is Action.ACCEPTED and answer.content else None
    return types.ElicitResult(action=_ACTIONS[answer.action], content=content)
