"""Turns that another process, or this one's earlier life, has left behind."""

from antiphon_server.dispatcher.delegating import stop_under
from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.execution import Execution
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import ActiveTurn, Lane, Lanes
from antiphon_server.dispatcher.model import Outcome, Past, State, Turn
from antiphon_server.dispatcher.outages import patiently
from antiphon_server.dispatcher.ports import Journal, TurnStore
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)


class Recovery:
    """Goes on with turns, or ends them. The log's word counts."""

    def __init__(
        self,
        store: TurnStore,
        journal: Journal,
        handlers: Handlers,
        runner: Runner,
        lanes: Lanes,
        execution: Execution,
    ) -> None:
        self._store = store
        self._journal = journal
        self._handlers = handlers
        self._runner = runner
        self._lanes = lanes
        self._execution = execution

    async def adopt(self, turn: Turn) -> None:
        """Take the turn in hand; returns when that is done, not when the turn has ended.

        Its outcome is taken over if it has ended in the log. It is cancelled if that was
        asked for; it is resumed or failed, as its handler says, if it ran, and resumed in any
        case if nothing was said behind its newest calls of tools, or it is asked who shall have it;
        it is started if it waited.
        """
        async with self._lanes.of(turn.conversation_id) as lane:
            if turn.turn_id in lane.turns:
                return
            if not turn.cursor:
                turn = await self._execution.post(turn)
            if turn.attempt:  # whoever had it may not know yet that it is ours
                turn = await self._runner.take_over(turn)
            past = await self._journal.past(turn, turn.cursor)
            if past.finished is not None:
                outcome, has_reply = past.finished.outcome, past.finished.has_reply
                now_us = self._runner.now_us()
                await self._journal.fold(turn)
                ended = turn.ended(outcome, now_us, has_reply=has_reply)
                await self._store.put(ended)
                stop_under(lane.unfinished(), turn.turn_id)
                return
            await self._note_loss(turn, past)
            handed = past.handoff
            if handed is not None and handed.is_last:
                self._execution.go_on(lane, turn, past)
            elif turn.cancel_requested or await self._is_forsaken(turn):
                await self._end(lane, turn, past, Outcome(State.CANCELLED))
            elif handed is not None and (handed.open or turn.is_to_be_given(handed)):
                self._execution.go_on(lane, turn, past)
            elif turn.state is State.RUNNING and not await self._resumes(turn, past):
                lost = Outcome(State.FAILED, DomainError(Reason.TURN_LOST))
                await self._end(lane, turn, past, lost)
            else:
                self._execution.go_on(lane, turn, past)

    async def _is_forsaken(self, turn: Turn) -> bool:
        """Whether the turn that asked for it has ended: nobody waits for it any more."""
        if turn.order.parent is None:
            return False
        parent = await self._store.get(turn.conversation_id, turn.order.parent.turn_id)
        return parent is None or parent.state.ended

    async def _note_loss(self, turn: Turn, past: Past) -> None:
        """Tell the handler, whose calls elsewhere nobody else can account for."""
        handler = self._handlers.find(turn.order.handler)
        if handler is None or not past.text:
            return
        try:
            await patiently(lambda: handler.lost(turn, past.text, past.own_calls))
        except DomainError as error:
            log.warning("a loss was not noted", turn_id=turn.turn_id, why=error.reason)

    async def _resumes(self, turn: Turn, past: Past) -> bool:
        """Whether somebody can go on with it.

        What was held back of a masked answer is lost, and what a worker has said of it: then nobody
        can. At its calls nothing is, unless what was masked goes on there. Nobody had it while its
        asker is asked who shall have it.
        """
        if turn.order.asks is not None and past.is_untouched:
            return True
        if not (past.stands_at_calls or self._handlers.resumes(turn.order.handler)):
            return False
        if not past.text and past.assigned is None:
            return True
        if past.stands_at_calls and past.assigned is None:
            return await self._runner.may_follow(turn, past.text)
        return not await self._runner.is_masked(turn)

    async def _end(self, lane: Lane, turn: Turn, past: Past, outcome: Outcome) -> None:
        """End the turn, keeping what was delivered; nobody else writes to it any more."""
        active = ActiveTurn(turn, calls=ToolCalls(past.calls))
        active.seal()
        self._lanes.add(lane, active)  # who sees its end in the log is told of it
        try:
            writer = TextWriter(self._journal, turn, past.text, active.calls)
            active.turn = await self._runner.finish(turn, outcome, writer)
            await self._store.put(active.turn)
        finally:
            active.done.set()
            stop_under(lane.unfinished(), turn.turn_id)
            self._lanes.remove(lane, active)
