"""What is written down of a call that is cancelled, or with a ledger that is slow or away."""

import asyncio
import math
import time
from collections.abc import Sequence

import pytest

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    Charge,
    Money,
    Outcome,
    Overrun,
    Quantities,
    Reached,
    Settlement,
    Usage,
)
from antiphon_server.integration.models.model import Finished, Step
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, order


class SlowLedger(SqlLedger):
    """A ledger whose disk is slow; notes when each thing was done."""

    def __init__(self, database: Database, delay_s: float) -> None:
        super().__init__(database)
        self._delay_s = delay_s
        self.opened: list[float] = []

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        await asyncio.sleep(self._delay_s)
        reached = await super().open(call, owner)
        self.opened.append(time.monotonic())
        return reached

    async def settle(
        self, call_id: CallId, settlement: Settlement, charges: Sequence[Charge] = ()
    ) -> Sequence[Overrun]:
        await asyncio.sleep(self._delay_s)
        return await super().settle(call_id, settlement, charges)


class FailingLedger(SqlLedger):
    """A ledger whose store is away for the first settlements, or from the start."""

    def __init__(
        self, database: Database, failures: float = math.inf, *, opens: bool = True
    ) -> None:
        super().__init__(database)
        self._failures = failures
        self._opens = opens
        self.settling = 0

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        await asyncio.sleep(0)
        if not self._opens:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().open(call, owner)

    async def settle(
        self, call_id: CallId, settlement: Settlement, charges: Sequence[Charge] = ()
    ) -> Sequence[Overrun]:
        self.settling += 1
        if self.settling <= self._failures:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().settle(call_id, settlement, charges)


async def cancelled(task: "asyncio.Task[None]") -> None:
    """Cancel it, and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_is_settled_when_the_store_is_back(world: World) -> None:
    """A store that is away for a moment costs neither the entry nor the answer."""
    world.ledger = FailingLedger(world.database, 2)
    recorder = Recorder()
    await world.generator().run(order(), recorder)
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.SUCCEEDED
    assert isinstance(recorder.steps[-1], Finished)


async def test_a_call_is_written_down_before_it_is_made(world: World) -> None:
    """The provider is asked only after the commit."""
    world.ledger = ledger = SlowLedger(world.database, 0.05)
    await world.generator().run(order(), Recorder())
    assert ledger.opened[0] <= world.endpoint.seen[0].received


@pytest.mark.parametrize("mode", ["hang", "ok"])
async def test_a_cancelled_call_is_settled_and_its_connection_closed_first(
    world: World, mode: str
) -> None:
    """Within 100 ms, however long the ledger takes; with what was said until then."""
    world.ledger = SlowLedger(world.database, 0.3)
    world.endpoint.behaviour = Behaviour(mode, deltas=1000, gap_ms=5)
    said = asyncio.Event()
    texts: list[str] = []

    async def emit(step: Step) -> None:
        if isinstance(step, str):
            texts.append(step)
            said.set()

    task = asyncio.create_task(world.generator().run(order(), emit))
    if mode == "hang":
        await world.endpoint.wait_seen(1)
    else:
        await said.wait()
    stopped = time.monotonic()
    await cancelled(task)
    assert await world.endpoint.wait_aborted() - stopped < 0.1
    (call,) = await world.calls()
    said_tokens = -(-len("".join(texts)) // 4)
    assert call.settlement.outcome is Outcome.CANCELLED
    assert call.settlement.usage == Usage(
        Quantities(6, said_tokens), True, Money("USD", (6 + said_tokens) * 10_000)
    )


async def test_a_call_cancelled_while_it_is_written_down_is_settled_too(world: World) -> None:
    """No entry stays open, and the provider is never asked."""
    world.ledger = SlowLedger(world.database, 0.5)
    task = asyncio.create_task(world.generator().run(order(), Recorder()))
    await asyncio.sleep(0.1)
    await cancelled(task)
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.CANCELLED
    assert call.settlement.usage == Usage(Quantities(), False, Money("USD", 0))
    assert not world.endpoint.seen


async def test_cancelling_twice_changes_nothing(world: World) -> None:
    """An impatient caller gets the same settlement."""
    world.ledger = SlowLedger(world.database, 0.05)
    world.endpoint.behaviour = Behaviour("hang")
    task = asyncio.create_task(world.generator().run(order(), Recorder()))
    await world.endpoint.wait_seen(1)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0.005)
    with pytest.raises(asyncio.CancelledError):
        await task
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.CANCELLED


async def test_what_cannot_be_written_down_is_not_done(world: World) -> None:
    """Without a ledger no provider is asked, and who asks is told at once."""
    world.ledger = ledger = FailingLedger(world.database, opens=False)
    with Refused(Reason.STORE_UNAVAILABLE):
        await world.generator().run(order(), Recorder())
    assert not world.endpoint.seen
    assert ledger.settling == 0


async def test_a_cancelled_call_that_was_not_written_down_is_not_settled(world: World) -> None:
    """Whoever cancels does not wait for a store that is away."""
    world.ledger = ledger = FailingLedger(world.database, opens=False)
    task = asyncio.create_task(world.generator().run(order(), Recorder()))
    await asyncio.sleep(0)
    await cancelled(task)
    assert ledger.settling == 0


async def test_an_answer_is_not_lost_for_its_settlement(world: World) -> None:
    """Nor is the settlement: what the store didn't take in time, it gets with a later call's."""
    world.ledger = FailingLedger(world.database, TURN.tries)
    generator, steps = world.generator(), Recorder()
    await generator.run(order(), steps)
    assert isinstance(steps.steps[-1], Finished)
    assert await world.calls() == []
    await generator.run(order(), Recorder())
    outcomes = [call.settlement.outcome for call in await world.calls()]
    assert outcomes == [Outcome.SUCCEEDED] * 2
