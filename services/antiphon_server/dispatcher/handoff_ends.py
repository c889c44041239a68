"""How hand-offs end: once, whoever tries."""

from typing import Protocol

from antiphon_server.dispatcher.handoff_model import HandoffEnd, HandoffEnded, PastHandoff
from antiphon_server.dispatcher.model import Step, TextAppended, Turn
from antiphon_server.dispatcher.ports import Journal
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.runtime.errors import DomainError, Reason


class HandedTurn(Protocol):
    """A turn that waits for people, in hand here."""

    @property
    def turn(self) -> Turn:
        """The turn as it is now."""
        ...

    @property
    def handoffs(self) -> TurnHandoffs:
        """What is committed of its hand-offs."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether nobody stops it, or lets go of it."""
        ...

    @property
    def wanted(self) -> bool:
        """Whether somebody stops it."""
        ...

    def seal(self) -> None:
        """Note that it can't be stopped from now on."""
        ...

    def unseal(self) -> None:
        """Note that it can be, all the same."""
        ...


class HandoffEnds:
    """Writes into the log how hand-offs end; the first end of each counts."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def end(self, it: HandedTurn, wish: HandoffEnded, text: str = "") -> PastHandoff:
        """End the open hand-off so, the turn with ``text`` where it ends the turn.

        Returns it with its end, which may be another's. Raises DomainError HANDOFF_ENDED if the
        turn is stopped, DRAINING if another server has it.
        """
        async with it.handoffs.deciding:
            last = it.handoffs.last
            assert last is not None, "it was handed off"
            if last.ended is not None:
                return last
            check_goes_on(it, wish.handoff_id)
            is_last = not wish.handler
            if is_last:
                it.seal()
            try:
                last = await self._written(it, wish, text if is_last else "")
            except BaseException:
                if is_last:
                    it.unseal()
                raise
            if is_last and not last.is_last:  # another's end stood in the log
                it.unseal()
            return last

    async def _written(self, it: HandedTurn, wish: HandoffEnded, text: str) -> PastHandoff:
        """Commit it; an end of before whose answer was lost stands."""
        steps: list[Step] = [wish]
        if text:
            message_id = it.turn.beside_id if it.handoffs.behind else it.turn.reply_id
            steps.append(TextAppended(text, 0, message_id=message_id))
        try:
            await self._journal.write(it.turn, steps, request_id=f"{wish.handoff_id}:end")
        except DomainError as error:
            if error.reason is Reason.FENCED:
                raise DomainError(Reason.DRAINING, retry_after=0.25) from error
            if error.reason is not Reason.REQUEST_ID_REUSED:
                raise
            past = (await self._journal.past(it.turn, it.turn.cursor)).handoff
            assert past is not None, "it was handed off"
            it.handoffs.find_out(past)
        else:
            it.handoffs.note(wish, text)
        assert it.handoffs.last is not None, "it was noted"
        return it.handoffs.last


def check_goes_on(it: HandedTurn, handoff_id: str) -> None:
    """Raises DomainError HANDOFF_ENDED if the turn ends, DRAINING if it is let go."""
    if it.goes_on and not it.handoffs.closed:
        return
    if it.wanted or it.handoffs.closed:
        raise ended(handoff_id, "CANCELLED")
    raise DomainError(Reason.DRAINING, retry_after=0.25)


def ended(handoff_id: str, end: str, by: str = "") -> DomainError:
    """What is told of one that waits no more."""
    return DomainError(Reason.HANDOFF_ENDED, handoff_id=handoff_id, end=end, ended_by=by)


def told_end(past: PastHandoff) -> DomainError:
    """The same of one whose end is known."""
    assert past.ended is not None, "it has ended"
    name = HandoffEnd(past.ended.end).name
    return ended(past.handoff.handoff_id, name, past.ended.actor)
