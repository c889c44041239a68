"""What a server asks in the middle of a call: of people, who may be there or not, and of models.

A server of 2026-07-28 ends its answer with questions, and is called again with what was said to
them (``input_required``): the call pauses. One of 2025-11-25 asks while the call is open, by a
request of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

import mcp_types as types
import msgspec
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from antiphon_server.integration.connections.faults import Fault
from antiphon_server.integration.connections.mcp.adapters.pages import pages_wanted
from antiphon_server.integration.connections.mcp.adapters.sampled import (
    MOST_SAMPLES,
    NotSampled,
    told,
    wanted,
)
from antiphon_server.integration.connections.mcp.ports import Sampling
from antiphon_server.integration.tools.forms import form, page
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
from antiphon_server.runtime.encoding.forms import NotShown
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
    """What a call goes on with: how often it has asked, the server's state, who asked what.

    ``ready`` is what models have said to the questions beside. ``anew``: the server takes no
    answers, and is called again as if for the first time, once people were at its pages.
    """

    rounds: int
    samples: int
    request_state: str | None
    keys: dict[str, str]
    ready: dict[str, Any]
    anew: bool = False


@dataclass(slots=True)
class Met:
    """What requests have met on their way, while the SDK tells of it by one code."""

    refused: DomainError | None = None
    fault: Fault | None = None


class Asking:
    """The questions of one call, in so many rounds at most; with ``sampling`` models are asked."""

    def __init__(self, call: Call, max_rounds: int, sampling: Sampling | None = None) -> None:
        self._call, self._max_rounds, self._sampling = call, max_rounds, sampling
        self._rounds = self._samples = 0
        self._limit: asyncio.Timeout | None = None
        self.refused: DomainError | None = None
        self.met = Met()

    @property
    def key(self) -> str:
        """By which a server knows this request again; after its questions it is another one."""
        return f"{self._call.call_id}/{self._rounds}" if self._rounds else self._call.call_id

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
                result = required.result
            except MCPError as error:
                return self._pages(error)
            self._count()
            requests, state = result.input_requests or {}, result.request_state
            asked = self._asked(requests)
            ready = await self._ready(requests)
            if asked and self._call.attendance is not None:
                return self._pause(state, asked, ready)
            if not requests:
                await asyncio.sleep(STATE_ONLY_S)
            declined = {key: _told(Answer(Action.DECLINED)) for key in asked}
            responses = {**ready, **declined} or None

    async def ask(self, params: types.ElicitRequestParams) -> types.ElicitResult | types.ErrorData:
        """Ask people while the call is open, which ends after too many rounds, or by a filter."""
        try:
            self._count()
            question = _question(params)
            there = self._call.attendance
            return _told(await there.ask(question) if there else Answer(Action.DECLINED))
        except NotShown as why:
            return types.ErrorData(code=types.INVALID_PARAMS, message=str(why))
        except DomainError as refused:
            self._end(refused)
            return _told(Answer(Action.CANCELLED))

    async def sample(
        self, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.ErrorData:
        """Have a model asked while the call is open; after too many times the call ends."""
        try:
            return await self._sample(params)
        except NotSampled as why:
            return types.ErrorData(code=types.INVALID_PARAMS, message=str(why))
        except DomainError as refused:
            if refused.reason is Reason.LIMIT_EXCEEDED:
                self._end(refused)
            return types.ErrorData(code=types.INTERNAL_ERROR, message=refused.reason.value)

    async def _sample(self, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        assert self._sampling is not None, "else it is not offered"
        self._samples += 1
        if self._samples > MOST_SAMPLES:
            limit = f"{MOST_SAMPLES} answers of models a call"
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=limit)
        return told(await self._sampling.sample(self._call.caller, wanted(params)))

    async def _ready(
        self, requests: Mapping[str, types.InputRequest]
    ) -> dict[str, types.CreateMessageResult]:
        """What models say to those of the requests that are for them."""
        found = {}
        for key, request in requests.items():
            if isinstance(request, types.CreateMessageRequest):
                try:
                    found[key] = await self._sample(request.params)
                except NotSampled as why:
                    raise self._failed(str(why)) from why
        return found

    def _end(self, refused: DomainError) -> None:
        """End the call, which waits for its server."""
        self.refused = refused
        if self._limit is not None:
            with suppress(RuntimeError):  # it is over
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
            if isinstance(request, types.CreateMessageRequest) and self._sampling is not None:
                continue
            if not isinstance(request, types.ElicitRequest):
                raise MCPError(types.INVALID_REQUEST, f"{request.method} is not offered")
            try:
                found[key] = _question(request.params)
            except NotShown as why:
                raise self._failed(str(why)) from why
        return found

    def _pages(self, error: MCPError) -> Pause:
        """Have people visit the pages without which the server does nothing. Raises the rest."""
        wanted = pages_wanted(error)
        if not wanted:
            raise error
        self._count()
        if self._call.attendance is None:
            raise self._failed("it needs a page visited first, and there is nobody to ask")
        return self._pause(None, self._asked(wanted), {}, anew=True)

    def _pause(
        self,
        state: str | None,
        asked: Mapping[str, Question],
        ready: Mapping[str, types.CreateMessageResult],
        *,
        anew: bool = False,
    ) -> Pause:
        keys: dict[str, str] = {question.question_id: key for key, question in asked.items()}
        said = {key: it.model_dump(mode="json", by_alias=True) for key, it in ready.items()}
        kept = msgspec.json.encode(_State(self._rounds, self._samples, state, keys, said, anew))
        if len(kept) > MAX_STATE:
            raise self._failed("its state is longer than 32 KiB")
        return Pause(tuple(asked.values()), kept)

    def _resumed(self) -> tuple[types.InputResponses | None, str | None]:
        there = self._call.attendance
        if there is None or not there.state:
            return None, None
        kept = msgspec.json.decode(there.state, type=_State)
        self._rounds, self._samples = kept.rounds, kept.samples
        responses = _responses(there, kept.keys)
        if kept.anew:
            if any(it.action != "accept" for it in responses.values()):
                raise self._failed("nobody has visited the page that it needs")
            return None, None
        ready = {
            key: types.CreateMessageResult.model_validate(it) for key, it in kept.ready.items()
        }
        return {**ready, **responses}, kept.request_state

    def _failed(self, why: str) -> DomainError:
        return DomainError(Reason.TOOL_FAILED, tool=self._call.tool, why=why)


def _responses(there: Attendance, keys: Mapping[str, str]) -> dict[str, types.ElicitResult]:
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
