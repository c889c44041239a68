"""A turn as its handler sees it, attempt after attempt."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn, TypeAlias

from antiphon_server.dispatcher.calling import Calling
from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.handling import HandedOff, HandoffOrder, RunCall
from antiphon_server.dispatcher.masking import Masking
from antiphon_server.dispatcher.model import (
    GAP,
    NOTHING_LEFT_OUT,
    AskedCall,
    CallStep,
    Child,
    ChildEnd,
    LeftOut,
    PastCall,
    ToolCallFinished,
    ToolCallProposed,
    Turn,
    TurnAssigned,
    TurnId,
    TurnProgressed,
    Usage,
)
from antiphon_server.dispatcher.resting import Rest
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)

StartChild: TypeAlias = Callable[[Turn, Child], Awaitable[ChildEnd]]


@dataclass(slots=True)
class TurnWork:
    """See :class:`~antiphon_server.dispatcher.handling.Work`. ``over`` says :attr:`is_over`.

    ``masking`` is known when a handler is about to begin. Of a masked answer a handler is told what
    was said before calls of tools: there nothing was held back. ``behind_gap``: what it says next
    stands apart from what was said before.
    """

    turn: Turn
    resumed_text: str
    writer: TextWriter
    calling: Calling
    list_others: Callable[[], set[TurnId]]
    over: Callable[[], bool]
    start_child: StartChild
    rest: Rest
    assigned: TurnAssigned | None = None
    masking: Masking | None = None
    knows_masks: bool = False
    behind_gap: bool = False
    usage: Usage | None = None
    model: str = ""
    finish_reason: int = 0
    output_limit: int = 0
    left_out: LeftOut = NOTHING_LEFT_OUT
    told_at_end: list[Callable[[bool], None]] = field(default_factory=list)

    def begin_again(self, turn: Turn, writer: TextWriter, calling: Calling) -> None:
        """Go on as the next attempt, behind what is committed; if it is masked, behind calls."""
        self.turn, self.writer, self.calling = turn, writer, calling
        self.resume()

    def resume(self) -> None:
        """Find out what its handler is told of what was said before."""
        said, calls = self.writer.committed, self.past_calls
        if self.masking is not None:
            said = said[: calls[-1].text_before] if calls else ""
        self.resumed_text = said

    async def part(self) -> None:
        """Let a gap stand between what was said before and what is said next."""
        if self.writer.committed and not self.behind_gap:
            await self.writer.write(GAP)
            self.behind_gap = True

    def fall_back(self) -> None:
        """No worker that has had it has it any more."""
        self.assigned, self.rest.at_worker = None, False

    @property
    def past_calls(self) -> Sequence[PastCall]:
        """See :attr:`Work.past_calls`."""
        return [it for it in self.writer.calls.all if not it.call.is_choice]

    @property
    def is_untouched(self) -> bool:
        """Whether no handler has said or done anything, as far as is known."""
        return not self.writer.accepted and not self.past_calls and self.assigned is None

    @property
    def others(self) -> set[TurnId]:
        """See :attr:`Work.others`."""
        return self.list_others()

    @property
    def left_s(self) -> float:
        """See :attr:`Work.left_s`."""
        return self.rest.left_s

    def hand_off(self, order: HandoffOrder) -> NoReturn:
        """See :meth:`Work.hand_off`."""
        raise HandedOff(order)

    async def delegate(self, child: Child) -> ChildEnd:
        """See :meth:`Work.delegate`."""
        return await self.start_child(self.turn, child)

    @property
    def outputs(self) -> "TurnOutputs":
        """See :attr:`Work.outputs`."""
        return TurnOutputs(self)

    @property
    def is_over(self) -> bool:
        """See :attr:`Work.is_over`."""
        return self.over()

    async def write(self, text: str) -> None:
        """See :meth:`Work.write`; a gap that stands there already is not said again."""
        if self.behind_gap:
            text = text.removeprefix(GAP)
            self.behind_gap = not text
        if text:
            await self.writer.write(text)

    async def call(self, asked: Sequence[AskedCall], run: RunCall) -> Sequence[ToolCallFinished]:
        """See :meth:`Work.call`."""
        return await self.calling.make(asked, run)

    async def progress(self, status: str, fraction: float | None = None) -> None:
        """See :meth:`Work.progress`."""
        await self.writer.progress(TurnProgressed(status, fraction))

    def leave_out(self, left_out: LeftOut) -> None:
        """See :meth:`Work.leave_out`."""
        self.left_out = left_out

    def account(
        self, usage: Usage, model: str, finish_reason: int = 0, output_limit: int = 0
    ) -> None:
        """See :meth:`Work.account`."""
        self.usage, self.model = usage, model
        self.finish_reason, self.output_limit = finish_reason, output_limit

    def tell_end(self, *, stored: bool) -> None:
        """Tell who wants to know, once, whether the end is stored or left to another server."""
        while self.told_at_end:
            try:
                self.told_at_end.pop(0)(stored)
            except Exception:  # the turn ends so, whatever they make of it
                log.exception("who was told of a turn's end failed", turn_id=self.turn.turn_id)


class TurnOutputs:
    """See :class:`~antiphon_server.dispatcher.handling.Outputs`."""

    def __init__(self, work: TurnWork) -> None:
        self._work = work

    @property
    def assigned(self) -> TurnAssigned | None:
        """See :attr:`Outputs.assigned`."""
        return self._work.assigned

    @property
    def stored(self) -> int:
        """See :attr:`Outputs.stored`."""
        return self._work.writer.output

    @property
    def said_bytes(self) -> int:
        """See :attr:`Outputs.said_bytes`."""
        return self._work.writer.accepted

    def on_stored(self, told: Callable[[int], None]) -> None:
        """See :meth:`Outputs.on_stored`."""
        self._work.writer.on_output = told

    def on_end(self, told: Callable[[bool], None]) -> None:
        """See :meth:`Outputs.on_end`."""
        self._work.told_at_end.append(told)

    async def masked(self, texts: Sequence[str]) -> Sequence[str]:
        """See :meth:`Outputs.masked`."""
        return await self._work.writer.masked(texts)

    async def assign(self, worker: TurnAssigned) -> None:
        """See :meth:`Outputs.assign`."""
        await self._work.writer.assign(worker)
        self._work.assigned = worker
        self._work.rest.at_worker = True

    async def write(self, number: int, text: str) -> None:
        """See :meth:`Outputs.write`."""
        await self._work.writer.write(text, number)

    async def progress(self, number: int, status: str, fraction: float | None) -> None:
        """See :meth:`Outputs.progress`."""
        await self._work.writer.progress(TurnProgressed(status, fraction, number))

    async def report(self, *steps: CallStep) -> None:
        """See :meth:`Outputs.report`."""
        await self._work.writer.whole()  # what is said behind calls is read by itself
        await self._work.writer.record(*map(self._placed, steps))

    def _placed(self, step: CallStep) -> CallStep:
        if isinstance(step, ToolCallProposed):
            return replace(step, position=self.said_bytes)
        return step
