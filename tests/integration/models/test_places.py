"""A model has so many places for calls; who gets none goes on to the next one."""

import asyncio

import pytest

from antiphon_server.integration.models.generation import Generator, Patience
from antiphon_server.integration.models.model import AttemptStarted
from antiphon_server.integration.models.settings import SMALL_MODEL, ModelSettings, model_named
from antiphon_server.runtime.concurrency.breaker import Limits
from antiphon_server.runtime.concurrency.bulkhead import Bounds
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.e2e.until import until_it
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, on_wire, order

ECHO = model_named("scripted/echo")
ONCE = Patience(retries=0)


def small(world: World, calls: int, waiting: int, wait_s: float) -> ModelSettings:
    """The endpoint's model with so many places."""
    url = world.endpoint.base_url
    return on_wire(url, max_calls=calls, max_waiting=waiting, max_wait_s=wait_s)


def asked(generator: Generator, *models: str) -> tuple[asyncio.Task[None], Recorder]:
    """An order on its way, and what comes of it."""
    steps = Recorder()
    return asyncio.create_task(generator.run(order(*models, text="a b"), steps)), steps


async def test_no_more_calls_are_made_at_once(world: World) -> None:
    """The others wait, and are all answered."""
    world.endpoint.behaviour = Behaviour(deltas=2, gap_ms=30)
    generator = world.generator(small(world, 3, 20, 60))
    most = 0

    async def look() -> None:
        nonlocal most
        while True:
            under_way = [it for it in world.endpoint.seen if it.ended is None]
            most = max(most, len(under_way))
            await asyncio.sleep(0.001)

    looking = asyncio.create_task(look())
    runs = [asked(generator) for _ in range(12)]
    await asyncio.gather(*(task for task, _ in runs))
    looking.cancel()
    assert [steps.text for _, steps in runs] == ["word word "] * 12
    assert most == 3


@pytest.mark.parametrize(("waiting", "wait_s"), [(0, 60.0), (5, 0.05)])
async def test_who_gets_no_place_goes_on_to_the_next_model(
    world: World, waiting: int, wait_s: float
) -> None:
    """At once where nobody may wait, else when they have waited; the attempt says why."""
    world.endpoint.behaviour = Behaviour("hang")
    model = small(world, 2, waiting, wait_s)
    generator = world.generator(model, ECHO)
    hanging = [asked(generator, model.name) for _ in range(2)]
    await world.endpoint.wait_seen(2)
    task, steps = asked(generator, model.name, ECHO.name)
    await task
    assert steps.text == "a b"
    attempts = [it for it in steps.steps if isinstance(it, AttemptStarted)]
    assert [(it.model, it.retry_of) for it in attempts] == [("scripted/echo", "OVERLOADED")]
    assert len(world.endpoint.seen) == 2
    for other, _ in hanging:
        other.cancel()
    await asyncio.gather(*(other for other, _ in hanging), return_exceptions=True)


async def test_without_a_next_model_it_is_said_what_is_full(world: World) -> None:
    """And for how long a place was waited for; nothing of it is in the ledger."""
    world.endpoint.behaviour = Behaviour("hang")
    generator = world.generator(small(world, 1, 1, 0.05))
    hanging, _ = asked(generator)
    await world.endpoint.wait_seen(1)
    with Refused(Reason.OVERLOADED) as refused:
        await generator.run(order(), Recorder())
    assert refused.error.metadata == {
        "resource": "model openai/small",
        "model": "openai/small",
        "calls": "1",
        "waited_ms": "50",
    }
    assert refused.error.retry_after == 1.0
    hanging.cancel()
    await asyncio.wait([hanging])
    assert len(await world.calls()) == 1


async def test_nobody_waits_for_a_place_at_a_model_that_is_left_alone(world: World) -> None:
    """Who waited when its breaker opened goes on, as those before them end."""
    world.endpoint.behaviour = Behaviour("503")
    model = small(world, 1, 100, 60)
    generator = world.generator(model, ECHO, patience=ONCE)
    runs = [asked(generator, model.name, ECHO.name) for _ in range(50)]
    await asyncio.gather(*(task for task, _ in runs))
    assert len(world.endpoint.seen) == 5
    world.endpoint.seen.clear()
    late, steps = asked(generator, model.name, ECHO.name)
    await late
    assert (steps.text, len(world.endpoint.seen)) == ("a b", 0)


async def test_a_wait_between_retries_takes_no_place(world: World) -> None:
    """Others are answered meanwhile."""
    world.endpoint.plan.append(Behaviour("429", retry_after="2"))
    generator = world.generator(small(world, 1, 0, 0))
    waits, _ = asked(generator)
    await world.endpoint.wait_seen(1)

    async def answered() -> bool:
        try:
            await generator.run(order(), Recorder())
        except DomainError as error:
            return error.reason is not Reason.OVERLOADED
        return True

    await until_it(answered)
    assert not waits.done()
    await waits


async def test_calls_that_wait_say_nothing_of_the_model(world: World) -> None:
    """Neither those that wait, nor those that get no place, open its breaker."""
    world.endpoint.behaviour = Behaviour(deltas=2, gap_ms=300)
    model = small(world, 1, 20, 0.02)
    generator = world.generator(model, patience=ONCE, breaker=Limits(failures=1))
    runs = [asked(generator)[0] for _ in range(20)]
    ends = await asyncio.gather(*runs, return_exceptions=True)
    assert ends.count(None) == 1
    await generator.run(order(), Recorder())


def test_places_by_default() -> None:
    """What runs here writes a few answers at once, for which others wait as long as for a first
    byte; of what is elsewhere, one model leaves others half of a server's turns.
    """
    remote = on_wire("http://x/v1")
    assert remote.places == Bounds(500, 250, 10.0)
    assert model_named(SMALL_MODEL).places == Bounds(4, 250, 60.0)
    told = on_wire("http://x/v1", max_calls=7, max_waiting=0, max_wait_s=0)
    assert told.places == Bounds(7, 0, 0)
