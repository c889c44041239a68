"""Retry and fallback."""

import pytest

from antiphon_server.integration.ledger.model import Money, Outcome, Quantities, Usage
from antiphon_server.integration.models.generation import Patience
from antiphon_server.integration.models.model import AttemptStarted, Finished
from antiphon_server.integration.models.settings import model_named
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, on_wire, order

ECHO = model_named("scripted/echo")


async def test_a_failure_before_the_first_text_is_retried(world: World) -> None:
    """Twice at most; each attempt says why the one before failed, and is in the ledger."""
    world.endpoint.plan.extend([Behaviour("500"), Behaviour("garbage", deltas=0)])
    steps = Recorder()
    await world.generator().run(order(), steps)
    attempts = [step.retry_of for step in steps.steps if isinstance(step, AttemptStarted)]
    assert attempts == ["", "MODEL_UNAVAILABLE", "MODEL_PROTOCOL"]
    assert steps.text == "word " * 4
    calls = await world.calls()
    assert [call.settlement.outcome for call in calls] == [
        Outcome.FAILED,
        Outcome.FAILED,
        Outcome.SUCCEEDED,
    ]
    assert [call.settlement.error_reason for call in calls] == [
        "MODEL_UNAVAILABLE",
        "MODEL_PROTOCOL",
        "",
    ]
    finished = steps.steps[-1]
    assert isinstance(finished, Finished)
    # A refused request consumed nothing; of one that broke off the prompt is counted.
    assert finished.usage == Usage(Quantities(6 + 11, 20), True, Money("USD", 370_000))


async def test_the_last_failure_is_raised_when_retries_are_used_up(world: World) -> None:
    """With its reason."""
    world.endpoint.behaviour = Behaviour("503")
    with Refused(Reason.MODEL_UNAVAILABLE):
        await world.generator().run(order(), Recorder())
    assert len(world.endpoint.seen) == 3


@pytest.mark.parametrize(("mode", "within_s"), [("401", 30.0), ("hang", 1.0)])
async def test_refusal_and_silence_are_not_retried(
    world: World, mode: str, within_s: float
) -> None:
    """Asking again would not help, or take too long."""
    world.endpoint.behaviour = Behaviour(mode)
    model = on_wire(world.endpoint.base_url, first_byte_timeout_s=within_s)
    with pytest.raises(DomainError):
        await world.generator(model).run(order(), Recorder())
    assert len(world.endpoint.seen) == 1


@pytest.mark.parametrize("mode", ["401", "500", "hang", "404"])
async def test_the_next_model_answers_when_one_fails(world: World, mode: str) -> None:
    """Whatever the failure is, as long as nothing was said."""
    broken = on_wire(world.endpoint.base_url, name=f"openai/{mode}", first_byte_timeout_s=0.05)
    steps = Recorder()
    await world.generator(ECHO, broken).run(order(broken.name, ECHO.name, text="a b"), steps)
    assert steps.text == "a b"
    assert isinstance(steps.steps[-1], Finished)
    assert steps.steps[-1].model == "scripted/echo"


async def test_after_the_first_text_a_failure_ends_it(world: World) -> None:
    """No retry and no fallback: the text would come twice."""
    world.endpoint.behaviour = Behaviour("cut", deltas=4)
    steps = Recorder()
    generator = world.generator(on_wire(world.endpoint.base_url), ECHO)
    with Refused(Reason.MODEL_PROTOCOL):
        await generator.run(order("openai/small", "scripted/echo"), steps)
    assert steps.text == "word word "
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.FAILED
    assert call.settlement.usage == Usage(Quantities(6, 3), True, Money("USD", 90_000))


async def test_retry_after_is_waited_for_only_within_the_budget(world: World) -> None:
    """A provider that asks for too long a wait is left for the next model."""
    world.endpoint.behaviour = Behaviour("429", retry_after="0.2")
    patience = Patience(retries=2, first_wait_s=0.001, longest_waits_s=0.3)
    with pytest.raises(DomainError) as raised:
        await world.generator(patience=patience).run(order(), Recorder())
    first, second = world.endpoint.seen
    assert second.received - first.received >= 0.2
    assert raised.value.retry_after == 0.2
