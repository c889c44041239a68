"""What a budget makes of an answer: its model is asked, another is, or nobody."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.charging import Charging
from antiphon_server.integration.budgets.model import (
    Budget,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Span,
    Standing,
    Terms,
    WhenExceeded,
)
from antiphon_server.integration.ledger.model import (
    BudgetExceeded,
    CallId,
    Counted,
    Outcome,
    Overrun,
    Payer,
    Use,
)
from antiphon_server.integration.models.model import AttemptStarted, Finished
from antiphon_server.integration.models.settings import model_named
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.e2e.until import until_it
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import WORKSPACE, Recorder, World, on_wire, order

ONCE = Counts(Scope.WORKSPACE, "", Span.ONCE, "", Counted.MONEY, "USD", ())
NAME = BudgetName("team")


class Told:
    """Remembers what is told of budgets."""

    def __init__(self) -> None:
        self.warnings: list[Standing] = []
        self.overruns: list[Overrun] = []

    async def warned(self, budget: Budget, payer: Payer, standing: Standing) -> None:
        self.warnings.append(standing)

    async def overran(self, budget: Budget, call_id: CallId, overrun: Overrun) -> None:
        self.overruns.append(overrun)


class Limited:
    """A world with one budget, once for the whole workspace."""

    def __init__(self, world: World) -> None:
        self.world, self.told = world, Told()
        self.store = SqlBudgets(world.database)
        self.budgets = Budgets(self.store)
        self.charging = Charging(self.budgets, self.told)

    async def put(self, limit: int, when: WhenExceeded = WhenExceeded.REFUSE) -> None:
        """Let the workspace spend that many millionths of a dollar."""
        await self.budgets.put(Parent(WORKSPACE), NAME, ONCE, Terms(limit, when))

    async def use(self) -> Use:
        """What of it is used."""
        (found,) = await self.budgets.listed(Parent(WORKSPACE), "", 1)
        return next((it.use for it in found.standings), Use(0, 0))

    async def is_reserved(self) -> bool:
        """Whether something is."""
        return (await self.use()).reserved > 0


@pytest.fixture
async def limited(world: World) -> AsyncIterator[Limited]:
    """One without a limit yet."""
    made = Limited(world)
    yield made
    await made.charging.close()


def models(steps: Sequence[object]) -> list[tuple[str, str]]:
    """Which models were asked, and why not the one before."""
    return [(it.model, it.retry_of) for it in steps if isinstance(it, AttemptStarted)]


async def test_an_answer_is_booked_as_its_provider_reports_it(limited: Limited) -> None:
    """What was reserved beyond that is free."""
    await limited.put(10**12)
    await limited.world.generator(limits=limited.charging).run(order(), Recorder())
    (call,) = await limited.world.calls()
    cost = call.settlement.usage.cost
    assert cost is not None
    assert cost.micros > 0
    assert await limited.use() == Use(cost.micros, 0)


async def test_what_does_not_fit_is_asked_of_nobody(limited: Limited) -> None:
    """Nothing is sent, and no entry is left in the ledger."""
    await limited.put(10)
    recorder = Recorder()
    with Refused(Reason.BUDGET_EXCEEDED):
        await limited.world.generator(limits=limited.charging).run(order(), recorder)
    assert (recorder.steps, len(limited.world.endpoint.seen)) == ([], 0)
    assert await limited.world.calls() == []
    assert await limited.use() == Use(0, 0)


async def test_what_does_not_fit_waits_for_no_place(limited: Limited) -> None:
    """The budget says so at once, though the only place is taken and one could wait for it."""
    endpoint = limited.world.endpoint
    endpoint.behaviour = Behaviour("hang")
    model = on_wire(endpoint.base_url, max_calls=1, max_wait_s=30)
    generator = limited.world.generator(model, limits=limited.charging)
    holding = asyncio.create_task(generator.run(order(), Recorder()))
    await endpoint.wait_seen(1)
    await limited.put(10)
    async with asyncio.timeout(10):
        with Refused(Reason.BUDGET_EXCEEDED):
            await generator.run(order(), Recorder())
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding


async def test_the_next_model_is_asked_if_the_budget_says_so(limited: Limited) -> None:
    """And it is told why it is not the first."""
    await limited.put(10, WhenExceeded.NEXT_MODEL)
    dear, free = on_wire(limited.world.endpoint.base_url), model_named("scripted/free")
    generator = limited.world.generator(dear, free, limits=limited.charging)
    recorder = Recorder()
    await generator.run(order(dear.name, free.name), recorder)
    assert models(recorder.steps) == [("scripted/free", "BUDGET_EXCEEDED")]
    assert isinstance(recorder.steps[-1], Finished)
    with pytest.raises(BudgetExceeded):
        await generator.run(order(dear.name), Recorder())


async def test_a_model_without_a_known_price_is_left_out(limited: Limited) -> None:
    """Alone it is refused, with what to set."""
    await limited.put(10**12)
    unpriced = on_wire(
        limited.world.endpoint.base_url,
        "openai/unpriced",
        input_price_micros=None,
        output_price_micros=None,
    )
    generator = limited.world.generator(
        unpriced, model_named("scripted/free"), limits=limited.charging
    )
    with Refused(Reason.PRICE_UNKNOWN):
        await generator.run(order(unpriced.name), Recorder())
    recorder = Recorder()
    await generator.run(order(unpriced.name, "scripted/free"), recorder)
    assert models(recorder.steps) == [("scripted/free", "PRICE_UNKNOWN")]


async def test_each_retry_is_reserved_and_released(limited: Limited) -> None:
    """A provider that answers 503 has not begun to work."""
    await limited.put(10**12)
    limited.world.endpoint.behaviour = Behaviour("503")
    with Refused(Reason.MODEL_UNAVAILABLE):
        await limited.world.generator(limits=limited.charging).run(order(), Recorder())
    assert len(await limited.world.calls()) == 3
    assert await limited.use() == Use(0, 0)


async def test_a_cancelled_answer_releases_what_it_did_not_use(limited: Limited) -> None:
    """While it runs the most is reserved."""
    await limited.put(10**12)
    limited.world.endpoint.behaviour = Behaviour("hang")
    generator, asked = limited.world.generator(limits=limited.charging), Recorder()
    task = asyncio.create_task(generator.run(order(), asked))
    await until_it(limited.is_reserved)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    use = await limited.use()
    (call,) = await limited.world.calls()
    cost = call.settlement.usage.cost
    assert (call.settlement.outcome, cost and cost.micros) == (Outcome.CANCELLED, use.spent)
    assert use.reserved == 0


async def test_people_are_warned_once_a_window(limited: Limited) -> None:
    """By what is spent and reserved together."""
    await limited.put(25_000_000)
    generator = limited.world.generator(limits=limited.charging)
    for _ in range(2):
        await generator.run(order(), Recorder())
    await limited.charging.close()
    (standing,) = limited.told.warnings
    assert standing.use.used >= 20_000_000
