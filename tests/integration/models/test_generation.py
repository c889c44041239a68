"""An answer from its first step to its last, and what ends it."""

from antiphon_server.integration.ledger.model import MODEL_CALL, Money, Outcome, Quantities, Usage
from antiphon_server.integration.models.generation import Patience
from antiphon_server.integration.models.model import (
    AttemptStarted,
    Finished,
    FinishReason,
    ModelName,
    Step,
)
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, order

SMALL = ModelName("openai/small")


async def test_an_answer_is_attempt_texts_and_end(world: World) -> None:
    """In that order, with what the ledger says of it."""
    steps = Recorder()
    await world.generator().run(order(), steps)
    (call,) = await world.calls()
    usage = Usage(Quantities(11, 20), False, Money("USD", 310_000))
    assert steps.steps[0] == AttemptStarted(call.call_id, SMALL, "")
    assert steps.text == "word " * 4
    assert steps.steps[-1] == Finished(SMALL, FinishReason.STOP, usage)
    assert (call.kind, call.target) == (MODEL_CALL, SMALL)
    assert (call.settlement.outcome, call.settlement.usage) == (Outcome.SUCCEEDED, usage)
    assert (call.payer.conversation_id, call.payer.turn_id) == ("conv_00000001", "turn_00000001")


async def test_usage_that_is_not_reported_is_estimated(world: World) -> None:
    """At four bytes a token, and marked so."""
    world.endpoint.behaviour = Behaviour(deltas=4, usage=None)
    await world.generator().run(order(), Recorder())
    (call,) = await world.calls()
    assert call.settlement.usage == Usage(Quantities(6, 5), True, Money("USD", 110_000))


async def test_the_whole_has_a_time_limit(world: World) -> None:
    """A drip of text does not go on for ever, and is settled as failed."""
    world.endpoint.behaviour = Behaviour(deltas=1000, gap_ms=5)
    generator = world.generator(patience=Patience(total_s=0.1))
    with Refused(Reason.MODEL_TIMEOUT):
        await generator.run(order(), Recorder())
    await world.endpoint.wait_aborted()
    (call,) = await world.calls()
    assert call.settlement.error_reason == "MODEL_TIMEOUT"


async def test_an_unknown_model_is_refused_before_anything(world: World) -> None:
    """Even where another one would do."""
    with Refused(Reason.MODEL_NOT_FOUND) as raised:
        await world.generator().run(order("openai/small", "x/y"), Recorder())
    assert raised.error.metadata == {"model": "x/y"}
    assert not world.endpoint.seen


async def test_a_listener_that_fails_stops_the_call(world: World) -> None:
    """Its error is raised as it is; nothing is retried."""
    world.endpoint.behaviour = Behaviour(deltas=1000, gap_ms=5)

    async def emit(step: Step) -> None:
        if isinstance(step, str):
            raise DomainError(Reason.OVERLOADED, resource="stream")

    with Refused(Reason.OVERLOADED):
        await world.generator().run(order(), emit)
    await world.endpoint.wait_aborted()
    assert len(world.endpoint.seen) == 1
    assert len(await world.calls()) == 1
