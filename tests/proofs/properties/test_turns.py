"""Turns keep their promises through crashes and cancels; a dispatcher that does not is caught."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.deltas import TextWriter
from antiphon_server.dispatcher.lane import ActiveTurn, Lane
from antiphon_server.dispatcher.model import Past, Policy, Turn
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.model import Append, Appended
from antiphon_server.runtime.errors import DomainError
from tests.proofs.properties.machine import caught, check
from tests.proofs.properties.turn_machine import TurnMachine


def test_turns_keep_their_promises() -> None:
    """Each ends once, with what was delivered; a stop is final; who waits, waits."""
    check(TurnMachine, examples=60, steps=40)


class LosesTurns(SqlTurnStore):
    """Does not find what a dead process left."""

    async def claim(self, node: str, now_us: int, until_us: int, *, own: bool) -> Sequence[Turn]:
        return []


class RepeatsItself(SqlLogStore):
    """Knows no request id."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await super().append([replace(one, request_id="") for one in batch])


@pytest.mark.proof
@pytest.mark.parametrize(
    "defect",
    [{"store_type": LosesTurns}, {"log_type": RepeatsItself}],
    ids=["lost lease", "doubled"],
)
def test_a_defective_store_is_caught(defect: dict[str, object]) -> None:
    """A turn that nobody goes on with, and one that is said twice, show."""
    caught(type("Machine", (TurnMachine,), defect), steps=40)


@pytest.mark.proof
def test_turns_that_do_not_wait_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that starts beside those before it shows."""

    def nobody(self: Lane, policy: Policy) -> Collection[ActiveTurn]:
        return []

    monkeypatch.setattr(Lane, "before", nobody)
    caught(TurnMachine, steps=40)


@pytest.mark.proof
def test_forgotten_text_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that is resumed as if nothing had been said shows."""
    past = EventLogJournal.past

    async def forgetful(self: EventLogJournal, turn: Turn, cursor: str) -> Past:
        return replace(await past(self, turn, cursor), text="")

    monkeypatch.setattr(EventLogJournal, "past", forgetful)
    caught(TurnMachine, steps=40)


@pytest.mark.proof
def test_dropped_text_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that ends well without what waited for its commit shows."""
    stop = TextWriter.stop

    async def dropping(self: TextWriter, *, keep_pending: bool) -> str:
        return await stop(self, keep_pending=False)

    monkeypatch.setattr(TextWriter, "stop", dropping)
    caught(TurnMachine, steps=40)


@pytest.mark.proof
def test_a_forgotten_stop_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that is told to stop, and goes on, shows."""

    def deaf(self: ActiveTurn, *, rolled_back: bool = False) -> None:
        self.done.set()

    monkeypatch.setattr(ActiveTurn, "stop", deaf)
    caught(TurnMachine, steps=40)
