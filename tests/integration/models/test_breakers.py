"""Models that fail often are not asked for a while."""

import asyncio

import pytest

from antiphon_server.integration.models.generation import Generator, Patience
from antiphon_server.integration.models.model import AttemptStarted, Finished
from antiphon_server.integration.models.settings import SMALL_MODEL, model_named
from antiphon_server.runtime.concurrency.breaker import Limits
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, on_wire, order

ECHO = model_named("scripted/echo")
ONCE = Patience(retries=0)


async def _fails(generator: Generator, times: int) -> None:
    for _ in range(times):
        with pytest.raises(DomainError):
            await generator.run(order(), Recorder())


async def test_a_model_that_fails_five_times_is_not_asked(world: World) -> None:
    """Whoever asks is told at once, and when to come again."""
    world.endpoint.behaviour = Behaviour("503")
    generator = world.generator(patience=ONCE)
    await _fails(generator, 5)
    with Refused(Reason.MODEL_UNAVAILABLE) as refused:
        await generator.run(order(), Recorder())
    assert refused.error.metadata["breaker"] == "OPEN"
    assert refused.error.retry_after == pytest.approx(30, abs=5)
    assert len(world.endpoint.seen) == 5
    assert len(await world.calls()) == 5


async def test_retries_end_when_it_opens(world: World) -> None:
    """A total outage is met by five calls, however many turns there are."""
    world.endpoint.behaviour = Behaviour("503")
    await _fails(world.generator(patience=Patience(first_wait_s=0.001)), 20)
    assert len(world.endpoint.seen) == 5


async def test_the_next_model_is_asked_at_once(world: World) -> None:
    """It tells why not the first."""
    world.endpoint.behaviour = Behaviour("hang")
    hangs = on_wire(world.endpoint.base_url, first_byte_timeout_s=0.05)
    generator = world.generator(hangs, ECHO, patience=ONCE)
    for _ in range(6):
        steps = Recorder()
        await generator.run(order(hangs.name, ECHO.name, text="a b"), steps)
        assert isinstance(steps.steps[-1], Finished)
    attempts = [it for it in steps.steps if isinstance(it, AttemptStarted)]
    assert [(it.model, it.retry_of) for it in attempts] == [("scripted/echo", "MODEL_UNAVAILABLE")]
    assert len(world.endpoint.seen) == 5


async def test_if_none_of_a_list_answers_all_are_named(world: World) -> None:
    """Also where the last one is not asked at all; of one model alone there are no others."""
    limited = on_wire(world.endpoint.base_url, "fake/limited", model="429")
    down = on_wire(world.endpoint.base_url, "fake/down", model="503")
    generator = world.generator(limited, down, patience=ONCE)
    for _ in range(6):
        with Refused(Reason.MODEL_UNAVAILABLE) as refused:
            await generator.run(order(limited.name, down.name), Recorder())
        assert refused.error.metadata["model"] == down.name
        assert refused.error.metadata["others"] == limited.name
    assert refused.error.metadata["breaker"] == "OPEN"
    with Refused(Reason.MODEL_UNAVAILABLE) as refused:
        await generator.run(order(down.name), Recorder())
    assert "others" not in refused.error.metadata


@pytest.mark.parametrize("mode", ["401", "404", "429"])
async def test_what_is_refused_says_nothing_of_other_requests(world: World, mode: str) -> None:
    """Neither what is the caller's own fault, nor that there are too many for now."""
    world.endpoint.behaviour = Behaviour(mode)
    await _fails(world.generator(patience=ONCE), 12)
    assert len(world.endpoint.seen) == 12


async def test_it_is_asked_again_when_it_may_be_back(world: World) -> None:
    """By one call, which is answered; others are told to wait meanwhile."""
    world.endpoint.behaviour = Behaviour("503")
    generator = world.generator(patience=ONCE, breaker=Limits(open_s=0.2))
    await _fails(generator, 6)
    await asyncio.sleep(0.25)
    world.endpoint.behaviour = Behaviour(first_byte_ms=100, gap_ms=20)
    ends = await asyncio.gather(
        *(generator.run(order(), Recorder()) for _ in range(100)), return_exceptions=True
    )
    assert ends.count(None) == 1
    assert len(world.endpoint.seen) == 6


async def test_when_it_begins_to_answer_others_are_answered_too(world: World) -> None:
    """They do not wait for the end of the answer by which it was tried."""
    world.endpoint.behaviour = Behaviour("503")
    generator = world.generator(patience=ONCE, breaker=Limits(open_s=0.2))
    await _fails(generator, 6)
    await asyncio.sleep(0.25)
    world.endpoint.behaviour = Behaviour(deltas=50, gap_ms=20)
    first = Recorder()
    probe = asyncio.create_task(generator.run(order(), first))
    async with asyncio.timeout(5):
        while not first.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    world.endpoint.behaviour = Behaviour()
    await generator.run(order(), Recorder())
    assert not probe.done()
    await probe


async def test_a_model_that_is_slow_is_left_alone(world: World) -> None:
    """Though each of its answers was whole."""
    world.endpoint.behaviour = Behaviour(deltas=2, first_byte_ms=100)
    generator = world.generator(on_wire(world.endpoint.base_url, slow_s=0.05), patience=ONCE)
    for _ in range(5):
        await generator.run(order(), Recorder())
    with Refused(Reason.MODEL_UNAVAILABLE) as refused:
        await generator.run(order(), Recorder())
    assert refused.error.metadata["breaker"] == "OPEN"


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(thoughts=6, gap_ms=150),
        Behaviour(deltas=6, gap_ms=150),
        Behaviour(deltas=0, calls=[("look_up", ["{}"])], first_byte_ms=10),
    ],
)
async def test_a_model_that_works_is_not_slow(world: World, behaviour: Behaviour) -> None:
    """Whether it thinks, speaks or calls, and however long that takes in all."""
    world.endpoint.behaviour = behaviour
    generator = world.generator(on_wire(world.endpoint.base_url, slow_s=0.6), patience=ONCE)
    await asyncio.gather(*(generator.run(order(), Recorder()) for _ in range(6)))
    await generator.run(order(), Recorder())


def test_what_is_slow_by_default() -> None:
    """Silence that would end the call; of what runs here nothing, however busy the machine is."""
    remote = on_wire("http://x/v1", first_byte_timeout_s=300)
    assert (remote.slow_after_s, model_named(SMALL_MODEL).slow_after_s) == (300, 0)


async def test_what_an_operator_has_opened_is_not_asked(world: World) -> None:
    """Whoever asks is told why, and of no time; the next model is asked as ever."""
    small = on_wire(world.endpoint.base_url)
    generator = world.generator(small, ECHO)
    world.breakers[small.name].open()
    with Refused(Reason.MODEL_UNAVAILABLE) as refused:
        await generator.run(order(), Recorder())
    assert (refused.error.metadata["breaker"], refused.error.retry_after) == ("BY_HAND", None)
    steps = Recorder()
    await generator.run(order(small.name, ECHO.name, text="a"), steps)
    assert steps.text == "a"
    assert not world.endpoint.seen
    world.breakers[small.name].close()
    await generator.run(order(), Recorder())
    assert len(world.endpoint.seen) == 1
