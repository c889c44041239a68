"""The hand-offs of a turn, as its log has them."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, assert_never

from antiphon_server.dispatcher.handoff_model import (
    Handoff,
    HandoffClaimChanged,
    HandoffEnded,
    HandoffOrder,
    HandoffStep,
    PastHandoff,
    TurnHandedOff,
    handoff_id_of,
)
from antiphon_server.dispatcher.model import Turn


class TurnHandoffs:
    """What is committed of a turn's hand-offs. ``deciding`` orders who claims and ends.

    ``behind`` says that the handler had said something before, ``told_end`` of which hand-off those
    know that it has ended who are told.
    """

    def __init__(self, past: PastHandoff | None = None, *, behind: bool = False) -> None:
        self.last = past
        self.behind = behind
        self.deciding = asyncio.Lock()
        self.closed = False
        self.told_end = ""
        self._wish: HandoffOrder | None = None
        self._changed = asyncio.Event()

    @property
    def open(self) -> Handoff | None:
        """The hand-off that waits for people, if one does."""
        return self.last.handoff if self.last is not None and self.last.open else None

    @property
    def goes_to(self) -> str:
        """Which handler goes on by the end of the newest one; "" if none does."""
        return self.last.goes_to if self.last is not None else ""

    @property
    def is_over(self) -> bool:
        """Whether the turn ends by the end of the newest one."""
        return self.last is not None and self.last.is_last

    def begins_nothing(self, turn: Turn) -> bool:
        """Whether no handler begins now: people have the turn, ended it, or are to give it."""
        last = self.last
        return last is not None and (last.open or last.is_last or turn.is_to_be_given(last))

    def next_id(self, turn_id: str) -> str:
        """The id of the next one."""
        return handoff_id_of(turn_id, self.last.number + 1 if self.last is not None else 1)

    def note(self, step: HandoffStep, said: str = "") -> None:
        """Note what was committed."""
        match step:
            case TurnHandedOff(handoff):
                number = self.last.number + 1 if self.last is not None else 1
                self.last = PastHandoff(handoff, number)
            case HandoffClaimChanged():
                self._note_claim(step)
            case HandoffEnded():
                if self.last is not None:
                    self.last = replace(self.last, ended=self.last.ended or step, said=said)
            case _:
                assert_never(step)
        self._tell()

    def find_out(self, past: PastHandoff) -> None:
        """Note what the log is found to have."""
        self.last = past
        self._tell()

    def wish(self, order: HandoffOrder) -> bool:
        """Somebody wants the turn handed off; whether nobody has before."""
        first, self._wish = self._wish is None, self._wish or order
        return first

    @property
    def wished(self) -> bool:
        """Whether somebody wants it, and its handler has not let go yet."""
        return self._wish is not None

    def take_wish(self) -> HandoffOrder | None:
        """What is wished, once."""
        wish, self._wish = self._wish, None
        return wish

    async def ended(self) -> None:
        """Return when the newest one has ended."""
        while self.open is not None:
            await self.changed()

    def changed(self) -> Coroutine[Any, Any, object]:
        """Wait until something has changed since this was called."""
        return self._changed.wait()

    def _note_claim(self, step: HandoffClaimChanged) -> None:
        if self.last is not None:
            claimed_us = step.claimed_us if step.claimed_by else 0
            claimed = replace(self.last.handoff, claimed_by=step.claimed_by, claimed_us=claimed_us)
            self.last = replace(self.last, handoff=claimed)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
