"""Retry and fallback."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest

from antiphon_server.integration.ledger.model import Money, Outcome, Quantities, Usage
from antiphon_server.integration.models.generation import Patience
from antiphon_server.integration.models.model import AttemptStarted, Finished
from antiphon_server.integration.models.settings import model_named
from antiphon_server.runtime.concurrency.breaker import Limits
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, on_wire, order
from tests.proofs.weather.endpoint import StormyEndpoint

ECHO = model_named("scripted/echo")


@asynccontextmanager
async def closing_at_once() -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """An endpoint that closes each connection when something is asked; how many it had so far."""
    seen: list[bytes] = []

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", lambda: len(seen)


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


async def test_retries_of_a_model_are_a_share_of_what_it_answers(world: World) -> None:
    """In an outage four at most, though its breaker opens for none; then a tenth of the answers."""
    generator = world.generator(breaker=Limits(failures=1_000, remembered=1_000))
    world.endpoint.behaviour = Behaviour("503")
    for _ in range(20):
        with Refused(Reason.MODEL_UNAVAILABLE):
            await generator.run(order(), Recorder())
    assert 20 < len(world.endpoint.seen) <= 20 + 4
    world.endpoint.behaviour = Behaviour(deltas=1)
    world.endpoint.seen.clear()
    for _ in range(80):
        await generator.run(order(), Recorder())
    world.endpoint.plan.append(Behaviour("503"))
    await generator.run(order(), Recorder())
    assert len(world.endpoint.seen) == 80 + 2


async def test_too_many_requests_use_up_retries_too(world: World) -> None:
    """Who is told to wait again and again makes it no worse."""
    world.endpoint.behaviour = Behaviour("429")
    generator = world.generator()
    for _ in range(20):
        with Refused(Reason.MODEL_UNAVAILABLE):
            await generator.run(order(), Recorder())
    assert 20 < len(world.endpoint.seen) <= 20 + 4


def test_who_failed_together_does_not_come_back_together() -> None:
    """Pauses are spread from nothing to twice what they were, and not around a middle."""
    patience = Patience(first_wait_s=1.0)
    for retry, longest_s in enumerate((1.0, 2.0, 4.0)):
        pauses = sorted(patience.pause(retry) / longest_s for _ in range(10_000))
        for at in range(10):
            assert pauses[1_000 * at] == pytest.approx(at / 10, abs=0.05)
        assert pauses[-1] <= 1


@pytest.mark.parametrize("in_words", [False, True])
async def test_a_time_to_come_again_is_kept_to(world: World, in_words: bool) -> None:
    """In seconds or as a date; others are not told to wait."""
    when = formatdate(time.time() + 2, usegmt=True) if in_words else "1"
    world.endpoint.plan.append(Behaviour("429", retry_after=when))
    generator = world.generator()
    waits = asyncio.create_task(generator.run(order(), Recorder()))
    await world.endpoint.wait_seen(1)
    await generator.run(order(), Recorder())
    assert not waits.done()
    await waits
    first, others, second = world.endpoint.seen
    assert others.received < second.received
    assert second.received - first.received >= 0.9


async def test_an_endpoint_that_takes_in_whoever_comes_is_met_by_each_call_once(
    world: World,
) -> None:
    """A new connection that is closed at once is no kept one that has grown old."""
    async with closing_at_once() as (url, count):
        generator = world.generator(on_wire(url), patience=Patience(retries=0))
        for _ in range(4):
            with Refused(Reason.MODEL_UNAVAILABLE):
                await generator.run(order(), Recorder())
        assert count() == 4


async def test_one_that_dies_is_not_asked_twice_on_all_kept_connections(world: World) -> None:
    """What is sent once more on a new one is a share of what succeeds."""
    async with StormyEndpoint(gap_s=0.2) as endpoint:
        generator = world.generator(
            on_wire(endpoint.base_url, model="closes"),
            patience=Patience(retries=0),
            breaker=Limits(failures=100, remembered=100),
        )

        async def fifty() -> list[BaseException | None]:
            orders = [generator.run(order(), Recorder()) for _ in range(50)]
            return await asyncio.gather(*orders, return_exceptions=True)

        endpoint.mended.add("closes")
        assert await fifty() == [None] * 50
        assert endpoint.connections == 50
        endpoint.mended.clear()
        assert None not in await fifty()
        assert 100 <= endpoint.asked["closes"] <= 104
