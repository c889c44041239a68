"""A call of a tool: allowed, checked, written into the ledger, made, bounded."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.entries import Entry, entered
from antiphon_server.integration.ledger.model import Outcome
from antiphon_server.integration.tools.catalogue import Catalogue, ListedTool, unavailable
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Digest,
    Result,
    ResultPart,
    Rule,
    State,
    ToolCallId,
)
from antiphon_server.integration.tools.ports import ResultStore, ScreensResults, States
from antiphon_server.integration.tools.questions import Attendance, Pause, Question
from antiphon_server.integration.tools.results import bounded, joined, whole, written
from antiphon_server.integration.tools.schemas import Schemas
from antiphon_server.integration.tools.settings import ToolSettings
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.nodes.standing import Lease, standing
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)

LIMIT_S = ToolSettings().call_s
KEEP_S = 10.0
"""So long is waited for a large result to be stored."""
ANY = Digest(b"")
"""Whatever the tool is now."""
Observe: TypeAlias = Callable[[Outcome, str, float], None]
"""Takes how a call ended, the reason if it failed, and how many seconds it took."""


class ToolCaller:
    """Makes calls, each of which is one in the ledger. One may take ``limit_s``.

    ``observe`` is told of each, those that are refused, too. ``states`` seals what calls go on
    with; without it none has people to ask. ``lease`` is this server's, if there are others that
    take over its turns. ``filters`` look at what comes of them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        calls: PricedCalls,
        results: ResultStore,
        limit_s: float = LIMIT_S,
        observe: Observe = lambda *_: None,
        states: States | None = None,
        lease: Lease | None = None,
        filters: ScreensResults | None = None,
    ) -> None:
        self._filters = filters
        self._catalogue = catalogue
        self._calls = calls
        self._results = results
        self._limit_s = limit_s
        self._observe = observe
        self._states = states
        self._lease = lease
        self._schemas = Schemas()

    async def call(
        self,
        caller: Caller,
        call_id: ToolCallId,
        name: str,
        arguments: str,
        approved: Digest = ANY,
    ) -> Result:
        """Make a call with nobody to ask: see :meth:`attend`."""
        result = await self.attend(caller, call_id, name, arguments, None, approved)
        assert isinstance(result, Result), "who has nobody to ask does not pause"
        return result

    async def attend(
        self,
        caller: Caller,
        call_id: ToolCallId,
        name: str,
        arguments: str,
        attendance: Attendance | None,
        approved: Digest = ANY,
    ) -> Result | Pause:
        """Make the call, or go on with it; cancelling it closes what it uses.

        ``approved`` is :attr:`ListedTool.digest` of the tool that a person approved of.

        Raises DomainError TOOL_NOT_FOUND, TOOL_DENIED, TOOL_HELD, TOOL_CHANGED if it is another one
        by now, TOOL_ARGUMENTS_INVALID, TOOL_TIMEOUT, CONNECTION_UNAVAILABLE, BUDGET_EXCEEDED,
        PRICE_UNKNOWN, CONTENT_BLOCKED and FILTER_UNAVAILABLE about its result or what it asks, and
        what its source raises.
        """
        tool, call = await self._ready(caller, call_id, name, arguments, attendance, approved)
        came = await self._paid(tool, call)
        if isinstance(came, Pause):
            assert self._states is not None, "who has nobody to ask does not pause"
            questions = tuple(await self._asked(caller, call_id, came.questions))
            return Pause(questions, self._states.seal(came.state, _purpose(call)))
        result = written(self._told(tool, joined(came)))
        return await self._kept(caller, call_id, await self._screened(caller, call_id, result))

    async def consult(
        self, workspace_id: str, call_id: ToolCallId, name: str, arguments: str
    ) -> Result:
        """Make a call for the server itself, and return all that came of it.

        No filter looks at that: it is filters that ask. Raises DomainError as :meth:`attend`, but
        what filters raise.
        """
        caller = Caller(workspace_id)
        asked = caller, call_id, name, arguments, None, ANY
        came = await self._paid(*await self._ready(*asked, by_filter=True))
        assert isinstance(came, Result), "who has nobody to ask does not pause"
        return came

    async def check(
        self, workspace_id: str, call_id: ToolCallId, name: str, arguments: str
    ) -> None:
        """Find out whether :meth:`consult` could make the call now. Raises DomainError as that."""
        await self._ready(Caller(workspace_id), call_id, name, arguments, None, ANY)

    async def _ready(
        self,
        caller: Caller,
        call_id: ToolCallId,
        name: str,
        arguments: str,
        attendance: Attendance | None,
        approved: Digest,
        *,
        by_filter: bool = False,
    ) -> tuple[ListedTool, Call]:
        """The tool, and the call that it may be asked. Raises DomainError."""
        begins = standing(self._lease if caller.turn_id else None)  # clients' calls are theirs
        try:
            tool = await self._catalogue.used(caller.workspace_id, name, by_filter=by_filter)
            _check(tool, approved)
            await self._schemas.load()
            decoded = self._schemas.arguments(tool.definition, arguments)
        except DomainError as refused:
            self._observe(Outcome.FAILED, refused.reason.value, 0.0)
            raise
        call = Call(call_id, tool.name, decoded, caller, attendance, begins)
        return tool, self._attended(call)

    async def _screened(self, caller: Caller, call_id: ToolCallId, result: Result) -> Result:
        """What filters leave of a result."""
        if self._filters is None:
            return result
        return await self._filters.screened(caller, call_id, result)

    async def _asked(
        self, caller: Caller, call_id: ToolCallId, questions: Sequence[Question]
    ) -> Sequence[Question]:
        """What filters leave of questions."""
        if self._filters is None:
            return questions
        return await self._filters.asked(caller, call_id, questions)

    def _attended(self, call: Call) -> Call:
        """The call with what it goes on with. Raises DomainError TOOL_FAILED."""
        if call.attendance is None or self._states is None:
            return replace(call, attendance=None)

        async def look(question: Question) -> Question:
            (left,) = await self._asked(call.caller, call.call_id, [question])
            return left

        call.attendance.look = look
        if sealed := call.attendance.state:
            state = self._states.open(sealed, _purpose(call))
            if state is None:
                why = "what it goes on with was sealed elsewhere"
                raise DomainError(Reason.TOOL_FAILED, tool=call.tool, why=why)
            call.attendance.state = state
        return call

    async def _paid(self, tool: ListedTool, call: Call) -> Result | Pause:
        caller, entry = call.caller, Entry()
        try:
            async with entered(self._calls, caller.payer, tool.name, entry, tool.price):
                result = await self._made(tool, call)
                entry.free = isinstance(result, Pause)  # it is paid for when it goes on
                if isinstance(result, Result) and result.failed:
                    entry.outcome = Outcome.FAILED
        finally:
            self._observe(entry.outcome or Outcome.CANCELLED, entry.reason, entry.took_s)
        return result

    async def _made(self, tool: ListedTool, call: Call) -> Result | Pause:
        if tool.source.definitions().get(tool.name) != tool.definition:  # since it was checked
            raise DomainError(Reason.TOOL_HELD, tool=tool.name)
        limit: asyncio.Timeout | None = None
        limited = replace(call, timed_out=lambda: limit is not None and limit.expired())
        try:
            async with call.limit(self._limit_s) as limit:
                return await tool.source.call(limited)
        except TimeoutError:
            if limit is None or not limit.expired():
                raise
            timeout_ms = round(self._limit_s * 1000)
            raise DomainError(Reason.TOOL_TIMEOUT, tool=tool.name, timeout_ms=timeout_ms) from None

    async def _kept(self, caller: Caller, call_id: ToolCallId, result: Result) -> Result:
        """The beginning of the result, the whole of which is kept if it is longer.

        That a call has been made is not lost with what came of it: if it can't be kept, what fits
        into events is all there is.
        """
        parts = whole(result) if caller.conversation_id else ()
        if not parts:
            return bounded(result)
        try:
            async with asyncio.timeout(KEEP_S):
                kept = await self._results.keep(caller, call_id, parts)
        except Exception:
            log.exception("the result of a call could not be kept", tool_call_id=call_id)
            kept = False
        return bounded(result, call_id if kept else None)

    def _told(self, tool: ListedTool, result: Result) -> Result:
        """The result; one that breaks its schema is kept, and says so."""
        if result.failed or result.structured is None:
            return result
        wrong = self._schemas.wrong_result(tool.definition, result.structured)
        if wrong is None:
            return result
        path, rule = wrong
        note = f"(This result is not what the tool promises, at {path}: {rule})"
        return Result((*result.parts, ResultPart("text", note)), result.structured)


def _purpose(call: Call) -> str:
    where = call.caller
    return f"tool call {where.workspace_id} {where.conversation_id} {call.tool} {call.call_id}"


def _check(tool: ListedTool, approved: Digest) -> None:
    if tool.rule is Rule.NEVER:
        raise DomainError(Reason.TOOL_DENIED, tool=tool.name)
    if tool.state is State.HELD:
        raise DomainError(Reason.TOOL_HELD, tool=tool.name)
    if approved not in (ANY, tool.digest):
        raise DomainError(Reason.TOOL_CHANGED, tool=tool.name)
    if tool.state is State.AWAY:
        raise unavailable(tool.source)
