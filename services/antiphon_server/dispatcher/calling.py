"""Calls of tools in a turn: each step of one is committed before it is taken."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.dispatcher.attending import Attending
from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.handling import RunCall
from antiphon_server.dispatcher.model import (
    AskedCall,
    CallOutcome,
    CallPaused,
    CallResult,
    CallStep,
    PastCall,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    ToolCallProposed,
    ToolCallStarted,
)
from antiphon_server.dispatcher.resting import Rest
from antiphon_server.dispatcher.tool_calls import lost
from antiphon_server.runtime.concurrency.tasks import together
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.nodes.standing import Lease, standing
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)

Stands: TypeAlias = Callable[[], None]
"""Raises if the turn may be another server's since the call was begun; see ``standing``."""


Waits: TypeAlias = Callable[[ToolCallId, str], Awaitable[None]]
"""Hears that a call waits for people: for approval, or for an answer to the question of that id."""


async def _nobody_hears(call_id: ToolCallId, question_id: str) -> None:
    pass


class Calling:
    """Makes a turn's calls, and goes on with those that earlier attempts have left.

    No call is made twice: what was started and has no end is UNKNOWN, unless it is repeatable. One
    that has paused goes on where it stood.
    """

    def __init__(
        self,
        writer: TextWriter,
        rest: Rest,
        lease: Lease | None = None,
        waits: Waits = _nobody_hears,
    ) -> None:
        self._waits = waits
        self._writer = writer
        self._calls = writer.calls
        self._rest = rest
        self._lease = lease

    async def make(self, asked: Sequence[AskedCall], run: RunCall) -> Sequence[ToolCallFinished]:
        """Make calls side by side; returns their ends in the same order.

        One that fails costs the others nothing. Cancelling it cancels those that run. Raises
        DomainError if the log can't be written.
        """
        stands = standing(self._lease)
        at_once = await self._propose([it for it in asked if not self._is_known(it)])
        self._rest.begin(len(asked))
        works = [self._one(it, run, stands if it.call.call_id in at_once else None) for it in asked]
        return await together(works)

    def _is_known(self, asked: AskedCall) -> bool:
        return self._calls.find(asked.call.call_id) is not None

    async def _propose(self, asked: Sequence[AskedCall]) -> set[ToolCallId]:
        """Say in one commit what is asked for, and what of it starts now; returns that."""
        await self._writer.whole()  # what is said behind calls is read by itself
        steps: list[CallStep] = []
        started: set[ToolCallId] = set()
        for it in asked:
            waits = it.asks and it.refused is None
            steps.append(ToolCallProposed(it.call, waits, self._writer.accepted))
            if it.refused is not None:
                steps.append(_refused(it.call, it.refused))
            elif not waits:
                steps.append(ToolCallStarted(it.call))
                started.add(it.call.call_id)
        if steps:
            async with self._calls.deciding:  # who sees it in the log may decide at once
                await self._writer.record(*steps)
        return started

    async def _one(self, asked: AskedCall, run: RunCall, stands: Stands | None) -> ToolCallFinished:
        known = self._calls.find(asked.call.call_id)
        assert known is not None, "it was proposed"
        try:
            end = known.finished
            if end is None:
                end = await self._brought_to_end(asked, known, run, stands)
                await self._writer.record(end)
        finally:
            self._rest.end()
        return end

    async def _brought_to_end(
        self, asked: AskedCall, known: PastCall, run: RunCall, stands: Stands | None
    ) -> ToolCallFinished:
        """``stands`` is that of a call that has been started just now."""
        attending = Attending(known.call, self._writer, self._rest, self._waits)
        if self._calls.is_lost(known.call.call_id):
            if not asked.repeatable:
                return lost(known)
        elif known.paused:
            await attending.answered()
        elif stands is None:
            if known.asks and (denied := await self._denied(known.call)) is not None:
                return denied
            stands = standing(self._lease)
            await self._writer.record(ToolCallStarted(known.call))
        return await _made(known.call, run, attending, stands or standing(self._lease))

    async def _denied(self, call: ToolCall) -> ToolCallFinished | None:
        """Wait for a person's decision; returns the end of a call that they denied."""
        await self._waits(call.call_id, "")
        decided = await self._rest.until(self._calls.decision(call.call_id))
        if decided.approved:
            return None
        return _refused(call, DomainError(Reason.TOOL_DENIED, tool=call.tool, why=decided.reason))


def _refused(call: ToolCall, error: DomainError) -> ToolCallFinished:
    denied = error.reason is Reason.TOOL_DENIED
    outcome = CallOutcome.DENIED if denied else CallOutcome.FAILED
    return ToolCallFinished(call.call_id, outcome, error=error)


async def _made(
    call: ToolCall, run: RunCall, attending: Attending, stands: Stands
) -> ToolCallFinished:
    """How it ends, however often it pauses. Raises DomainError if the log can't be written."""
    began = time.monotonic()
    stand: Stands | None = stands
    while isinstance(came := await _leg(call, run, attending, stand), CallPaused):
        await attending.pause(came)
        stand = None
    duration_ms = int((time.monotonic() - began - attending.waited_s) * 1000)
    return replace(came, duration_ms=duration_ms)


async def _leg(
    call: ToolCall, run: RunCall, attending: Attending, stands: Stands | None
) -> ToolCallFinished | CallPaused:
    """What comes of it until it ends or pauses; what fails here is the call's own failure."""
    try:
        if stands is not None:
            stands()
        came = await run(call, attending)
    except DomainError as failure:
        lost_it = failure.reason is Reason.TOOL_CALL_LOST
        outcome = CallOutcome.UNKNOWN if lost_it else CallOutcome.FAILED
        return ToolCallFinished(call.call_id, outcome, error=failure)
    except Exception:
        log.exception("a call of a tool failed", tool=call.tool, tool_call_id=call.call_id)
        error = DomainError(Reason.INTERNAL, request_id=call.call_id)
        return ToolCallFinished(call.call_id, CallOutcome.FAILED, error=error)
    return came if isinstance(came, CallPaused) else _ended(call, came)


def _ended(call: ToolCall, result: CallResult) -> ToolCallFinished:
    outcome = CallOutcome.FAILED if result.failed else CallOutcome.SUCCEEDED
    omitted, kept = result.omitted_bytes, result.kept
    return ToolCallFinished(call.call_id, outcome, result.content, omitted_bytes=omitted, kept=kept)
