"""What a model thinks costs what it says, also where nothing is ever said."""

import asyncio

import pytest

from antiphon_server.integration.ledger.model import Money, Outcome
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, order

FREE = Money("USD", 0)
THOUGHTS = 400
"""Of two bytes each: 200 tokens by the estimate."""


async def _said(world: World) -> tuple[Outcome, int, bool]:
    call = (await world.calls())[-1].settlement
    return call.outcome, call.usage.quantities.output_tokens, call.usage.estimated


async def test_a_turn_that_is_cancelled_while_its_model_thinks(world: World) -> None:
    """It has cost what had been thought by then."""
    world.endpoint.behaviour = Behaviour("silent", deltas=0, thoughts=THOUGHTS)
    asked = asyncio.create_task(world.generator().run(order(), Recorder()))
    await world.endpoint.wait_seen(1)
    await asyncio.sleep(0.5)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await _said(world) == (Outcome.CANCELLED, THOUGHTS // 2, True)


async def test_a_stream_that_fails_behind_thoughts(world: World) -> None:
    """It had begun: the provider charges for it, whatever it calls its failure."""
    world.endpoint.behaviour = Behaviour("fault", deltas=0, thoughts=THOUGHTS)
    with Refused(Reason.MODEL_UNAVAILABLE):
        await world.generator().run(order(), Recorder())
    assert await _said(world) == (Outcome.FAILED, THOUGHTS // 2, True)
    (call, *_) = await world.calls()
    assert call.settlement.usage.quantities.input_tokens > 0


async def test_a_failure_that_is_all_of_an_answer_is_free(world: World) -> None:
    """As one by its status is."""
    world.endpoint.behaviour = Behaviour("fault", deltas=0)
    with Refused(Reason.MODEL_UNAVAILABLE):
        await world.generator().run(order(), Recorder())
    (call, *_) = await world.calls()
    assert (call.settlement.usage.cost, sum(call.settlement.usage.quantities)) == (FREE, 0)
