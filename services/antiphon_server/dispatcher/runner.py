"""One turn from its start to its end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from antiphon_server.dispatcher.calling import Calling
from antiphon_server.dispatcher.choosing import Choosing
from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.falling_back import Named, fallen_back
from antiphon_server.dispatcher.handing_off import HandingOff
from antiphon_server.dispatcher.handling import AttemptLost, HandedOff, HandoffOrder, Vanished
from antiphon_server.dispatcher.masking import Masking, Masks, masked_failure, masked_order
from antiphon_server.dispatcher.model import (
    GAP,
    Outcome,
    Past,
    ReplyPosted,
    State,
    Step,
    Turn,
    TurnFinished,
    TurnId,
    TurnProgressed,
    TurnStarted,
    output_of,
)
from antiphon_server.dispatcher.outages import AWAY, patiently
from antiphon_server.dispatcher.people_said import answered, by_people
from antiphon_server.dispatcher.ports import (
    EndWritten,
    HearsOfWaits,
    Journal,
    TurnObserver,
    TurnStore,
)
from antiphon_server.dispatcher.resting import Rest
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.dispatcher.turn_work import StartChild, TurnWork
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.nodes.standing import Lease
from antiphon_server.runtime.telemetry.structured import structlog

T = TypeVar("T")
FOUND_AGAIN = "the store was away"
TELLING_S = 2.0
"""So long telling what was found of a turn that is let go may take; a stop waits longer for it."""

log = structlog.get_logger(__name__)


class Stop(Protocol):
    """Why a running turn was cancelled."""

    @property
    def wanted(self) -> bool:
        """Whether somebody asked for its end; else another node, or the next start, goes on."""
        ...

    @property
    def rolled_back(self) -> bool:
        """Whether its messages are left out of the context from now on."""
        ...

    @property
    def calls(self) -> ToolCalls:
        """What is committed of its calls, also by earlier attempts."""
        ...

    @property
    def turn(self) -> Turn:
        """The turn as it is now."""
        ...

    @property
    def handoffs(self) -> TurnHandoffs:
        """What is committed of its hand-offs, and who wants one."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether nobody stops it, or lets go of it."""
        ...

    def seal(self) -> None:
        """Note that the handler is done: from here on the turn can't be stopped."""
        ...

    def unseal(self) -> None:
        """Note that it can be stopped, all the same."""
        ...

    def begin_again(self, turn: Turn) -> None:
        """Note that the turn's next attempt has begun."""
        ...


class Runner:
    """Runs turns and sees that each ends in the log and in the store."""

    def __init__(
        self,
        store: TurnStore,
        journal: Journal,
        node: str,
        lease_s: float,
        shares: Shares,
        handing: HandingOff,
        choosing: Choosing,
        clock: Callable[[], float] = time.time,
        observers: Sequence[TurnObserver] = (),
        lease: Lease | None = None,
        masks: Masks | None = None,
        people: HearsOfWaits | None = None,
    ) -> None:
        self._masks, self._people = masks, people
        self._shares = shares
        self._handing, self._choosing = handing, choosing
        self._observers = observers
        self._lease = lease
        self._store = store
        self._journal = journal
        self._node = node
        self._lease_s = lease_s
        self._clock = clock

    def now_us(self) -> int:
        """Return the time as turns note it."""
        return int(self._clock() * 1e6)

    def leased(self, turn: Turn) -> Turn:
        """Return the turn as this node holds it from now on."""
        until = self.now_us() + int(self._lease_s * 1e6)
        return replace(turn, node=self._node, lease_until_us=until)

    def holds(self, turn: Turn) -> bool:
        """Whether the lease is this node's."""
        return turn.node == self._node

    async def start(self, turn: Turn, *, quiet: bool = False) -> Turn:
        """Begin the next attempt: first in the store, so that its number is never used twice.

        ``quiet``: no handler begins.

        One that ran already was taken over, and goes on by the number of that.
        """
        was_taken_over = turn.state is State.RUNNING
        now_us = self.now_us()
        turn = replace(turn, started_us=now_us) if was_taken_over else turn.started(now_us)
        turn = self.leased(turn)
        await self._store.put(turn)
        if not quiet:
            request_id = f"{turn.turn_id}:{turn.attempt}"
            await self._journal.write(turn, [TurnStarted()], request_id=request_id)
        return turn

    async def work(
        self,
        turn: Turn,
        named: Named,
        past: Past,
        stop: Stop,
        rest: Rest,
        others: Callable[[], set[TurnId]],
        start_child: StartChild,
    ) -> Turn:
        """Let the handler ``named`` so work on the started turn; returns the turn as it ended.

        Cancelling stops the handler. The turn ends if somebody asked for that; if not,
        CancelledError is raised and nothing more is written.
        """
        writer, calling = self._tools(turn, past.text, past.output, stop, rest)
        limit = asyncio.timeout(turn.order.time_limit_s)
        work = TurnWork(
            turn,
            past.text,
            writer,
            calling,
            others,
            lambda: stop.wanted or limit.expired() or stop.handoffs.wished,
            start_child,
            rest,
            past.assigned,
            behind_gap=past.stands_at_calls and past.text.endswith(GAP),
        )
        outcome = await self._outcome(named, work, stop, rest, limit)
        outcome = await by_people(outcome, stop.handoffs)
        stop.seal()
        try:
            return await self._store_end(work, outcome, stop)
        finally:
            work.tell_end(stored=False)  # unless it was told already that it is
            await _tell_found(work, None if stop.goes_on else TELLING_S)

    async def _store_end(self, work: TurnWork, outcome: Outcome, stop: Stop) -> Turn:
        turn, writer = work.turn, work.writer
        try:
            left = await writer.stop(keep_pending=outcome.state is not State.CANCELLED)
        except DomainError as error:
            if outcome.state is State.CANCELLED and not stop.wanted:
                raise asyncio.CancelledError from error
            if error.reason not in AWAY:
                raise  # FENCED: another node has the turn
            turn, past = await self._look_up(turn)
            calls = ToolCalls(past.calls)
            writer, left = TextWriter(self._journal, turn, past.text, calls), ""
            if outcome.state is State.SUCCEEDED:
                outcome = replace(outcome, state=State.FAILED, error=error)
        if outcome.state is State.CANCELLED and not stop.wanted:
            raise asyncio.CancelledError
        return await self.finish(turn, outcome, writer, left, work, stop.handoffs)

    async def may_follow(self, turn: Turn, shown: str) -> bool:
        """Whether filters let it go on behind what was shown at a call. Raises DomainError."""
        masking = await self._masking(turn)
        return masking is None or masking.may_follow(shown)

    async def is_masked(self, turn: Turn) -> bool:
        """Whether filters look at what it says. Raises DomainError."""
        return await self._masking(turn) is not None

    async def _masking(self, turn: Turn) -> Masking | None:
        """How what it says is masked. Raises DomainError."""
        masks = self._masks
        if masks is None or (turn.at_once and not turn.filtered):
            return None  # none stood as it came; they may by now if it has waited
        return await patiently(lambda: masks.of(turn))

    async def _find_masks(self, work: TurnWork, stop: Stop, rest: Rest) -> None:
        """Find out how it is masked: nothing is said before that is known."""
        work.masking = await self._masking(work.turn)
        work.knows_masks = True
        if work.masking is None:
            return
        said = work.writer.committed, work.writer.output
        work.writer, work.calling = self._tools(work.turn, *said, stop, rest, work.masking)
        work.resume()

    def _tools(
        self,
        turn: Turn,
        text: str,
        output: int,
        stop: Stop,
        rest: Rest,
        masking: Masking | None = None,
    ) -> tuple[TextWriter, Calling]:
        """What an attempt writes and calls with, behind what is committed."""
        share = self._shares.of(turn.creator, turn.workspace_id)
        writer = TextWriter(self._journal, turn, text, stop.calls, share, output, masking)
        if self._people is None:
            return writer, Calling(writer, rest, self._lease)
        return writer, Calling(writer, rest, self._lease, partial(self._people.waits, turn))

    async def _attempts(self, named: Named, work: TurnWork, stop: Stop, rest: Rest) -> None:
        """Let the handler, its fallback or people work until the turn ends."""
        order: HandoffOrder | None = None
        while True:
            try:
                if order is not None:
                    handed_off, order = order, None
                    await completed(self._hand_over(work, stop, rest, handed_off))
                elif await self._leg(named, work, stop, rest):
                    return
            except HandedOff as handed:
                order = handed.order
            except asyncio.CancelledError:
                wish = stop.handoffs.take_wish()
                if wish is None:
                    raise
                consumed()
                if not stop.goes_on or rest.is_over:
                    raise
                if stop.handoffs.open is None and not stop.handoffs.is_over:
                    order = wish

    async def _leg(self, named: Named, work: TurnWork, stop: Stop, rest: Rest) -> bool:
        """Let who has the turn work on it; whether it ends by that."""
        turn = work.turn
        if stop.handoffs.open is not None:
            await self._handing.wait(stop, rest)
        await self._handing.tell_end(stop)
        if stop.handoffs.is_over:
            return True
        last = stop.handoffs.last
        if last is not None and turn.is_to_be_given(last):
            await _tell_found(work)
            given = replace(turn.given_to(last), filtered=True)  # they may be there by now
            work.masking, work.knows_masks = await self._masking(given), True
            await completed(self._begin_again(given, work, stop, rest))
            await work.part()
            return False
        if turn.order.asks is not None and work.is_untouched:
            await self._ask(named, work, stop, rest)
            return False
        if not work.knows_masks:
            await self._find_masks(work, stop, rest)
        try:
            await named(turn.order.handler).run(work)
        except AttemptLost:
            await completed(self._lost(turn, work, stop, rest))
            return False
        except Vanished as vanished:
            fallen = await fallen_back(work, named, vanished)
            await completed(self._lost(fallen, work, stop, rest))
            work.fall_back()
            return False
        return True

    async def _ask(self, named: Named, work: TurnWork, stop: Stop, rest: Rest) -> None:
        """Have the asker say who shall have the turn, which that one begins as the next attempt."""
        choice = await self._choosing.choice(work)
        chosen = replace(work.turn.with_choice(choice), filtered=True)  # they may be there by now
        if chosen.order.kinds:
            await named(chosen.order.handler).check(chosen.order, chosen.workspace_id)
        await completed(self._begin_again(chosen, work, stop, rest))

    async def _hand_over(self, work: TurnWork, stop: Stop, rest: Rest, order: HandoffOrder) -> None:
        """End what the handler has begun; the turn is people's, by the number of its next attempt.

        What it said stays.
        """
        written = work.writer
        if not order.asked_by:  # the handler has said all that it has to say
            await written.whole()
            order = await masked_order(order, written.masked)
        left = await written.stop(keep_pending=True)
        turn = await patiently(lambda: self.next_attempt(work.turn))
        steps: list[Step] = [written.piece(left)] if left else []
        async with written.calls.deciding:
            ends = written.calls.ends
            stop.begin_again(turn)
            stop.handoffs.behind = bool(written.committed or left)
            await self._handing.begin(stop, order, [*steps, *ends])
            for end in ends:
                written.calls.note(end)
        output = max([written.output, *map(output_of, steps)])
        said = written.committed + left, output
        again = self._tools(turn, *said, stop, rest, work.masking)
        work.begin_again(turn, *again)
        work.fall_back()
        work.tell_end(stored=True)

    async def _lost(self, before: Turn, work: TurnWork, stop: Stop, rest: Rest) -> None:
        """Begin the next attempt in place of one that was lost.

        Raises DomainError TURN_LOST if something was said that is masked: nobody else can go on
        with it, since what was held back of it is lost, too.
        """
        written = work.writer
        await written.stop(keep_pending=False)
        if work.masking is not None and (written.committed or written.hides):
            raise DomainError(Reason.TURN_LOST)
        await self._begin_again(before, work, stop, rest)

    async def _begin_again(self, before: Turn, work: TurnWork, stop: Stop, rest: Rest) -> None:
        """Fence out the attempt that is lost; what was not committed of it is dropped."""
        await work.writer.stop(keep_pending=False)
        turn = await patiently(lambda: self.next_attempt(before))
        request_id = f"{turn.turn_id}:{turn.attempt}"
        await self._told(lambda: self._journal.write(turn, [TurnStarted()], request_id=request_id))
        stop.begin_again(turn)
        written = work.writer
        said = written.committed, written.output
        work.begin_again(turn, *self._tools(turn, *said, stop, rest, work.masking))

    async def _outcome(
        self, named: Named, work: TurnWork, stop: Stop, rest: Rest, limit: asyncio.Timeout
    ) -> Outcome:
        order = work.turn.order
        state, error = State.SUCCEEDED, None
        try:
            async with limit:
                rest.limit(limit)
                await self._attempts(named, work, stop, rest)
                await work.writer.whole()
        except asyncio.CancelledError:
            state = State.CANCELLED
            if stop.wanted:
                consumed()
        except DomainError as failure:
            state, error = State.FAILED, await masked_failure(failure, work.writer.masked)
        except Exception:
            if limit.expired():
                limit_ms = int(order.time_limit_s * 1000)
                state, error = State.EXPIRED, DomainError(Reason.TURN_EXPIRED, limit_ms=limit_ms)
            else:
                turn_id = work.turn.turn_id
                log.exception("a handler failed", handler=order.handler, turn_id=turn_id)
                state, error = State.FAILED, DomainError(Reason.INTERNAL, request_id=turn_id)
        return Outcome(
            state,
            error,
            work.usage,
            work.model,
            stop.rolled_back,
            work.finish_reason,
            work.left_out,
            work.output_limit,
        )

    async def finish(
        self,
        turn: Turn,
        outcome: Outcome,
        writer: TextWriter,
        rest: str = "",
        work: TurnWork | None = None,
        handoffs: TurnHandoffs | None = None,
    ) -> Turn:
        """Commit the end of the turn: the rest of the text, the answer, and how it ended.

        Returns the turn as it ended, to be stored. If that fails, the next holder of its
        lease finds the end in the log.
        """
        text = writer.committed + rest
        steps: list[Step] = [writer.piece(rest)] if rest else []
        steps += await writer.calls.close()
        said = answered(turn, handoffs, behind=bool(text))
        outcome = replace(outcome, beside=bool(text) and said is not None)
        if text:
            is_whole = outcome.state is State.SUCCEEDED and said is None
            steps.append(ReplyPosted(text, truncated=not is_whole))
        if said is not None:
            steps.append(said)
        has_reply = bool(text) or said is not None
        steps.append(TurnFinished(outcome, has_reply=has_reply))
        written = await self._persist(turn, steps)
        if work is not None:
            work.tell_end(stored=True)
        if not written.folded:
            await self._journal.fold(turn)
        if handoffs is not None and handoffs.last is not None:
            await self._handing.forget(turn)
        for observer in self._observers:
            observer.observe(outcome)
        ended = turn.ended(outcome, self.now_us(), has_reply=has_reply)
        return replace(ended, seen=written.seen)

    async def next_attempt(self, turn: Turn) -> Turn:
        """Take the next number, in the store: nobody else has it.

        Raises DomainError FENCED if the turn is not this node's.
        """
        turn = replace(self.leased(turn), attempt=turn.attempt + 1)
        await self._store.put(turn)
        return turn

    async def take_over(self, turn: Turn) -> Turn:
        """Take the next number, and keep out of the log who writes with a lower one.

        Raises DomainError FENCED if the turn is not this node's.
        """
        turn = await self.next_attempt(turn)
        await self._journal.fence(turn)
        return turn

    async def _look_up(self, turn: Turn) -> tuple[Turn, Past]:
        """Ask the log what it has of the turn; returns the turn's next attempt with it.

        A commit may be on its way still. What this attempt has not written by now is fenced
        out by the next one, and only then is the log asked.
        """
        ours = await patiently(lambda: self.next_attempt(turn))
        await self._told(lambda: self._journal.fence(ours))
        await self._told(lambda: self._journal.write(ours, [TurnProgressed(FOUND_AGAIN)]))
        past = await self._told(lambda: self._journal.past(ours, ours.cursor))
        return ours, past

    async def _told(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call the journal until it succeeds, or what it needs stays away."""
        return await patiently(call, AWAY.difference(self._journal.waits_for))

    async def _persist(self, turn: Turn, steps: list[Step]) -> EndWritten:
        """Write the last steps."""
        return await self._told(lambda: self._journal.end(turn, steps))


async def _tell_found(work: TurnWork, within_s: float | None = None) -> None:
    """Have told what its masks have found; what can't be told costs the turn nothing."""
    masking, work.masking = work.masking, None
    if masking is None:
        return
    try:
        async with asyncio.timeout(within_s):
            await masking.close()
    except Exception:
        log.warning("what masks have found is not told", turn_id=work.turn.turn_id, exc_info=True)


def consumed() -> None:
    """Note that this task has heard its cancellation, and goes on all the same.

    While a task counts as being cancelled, a deadline inside of it looks like that, too.
    """
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
