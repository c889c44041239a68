"""Retry, fallback, and what is written down about them."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from antiphon_server.integration.adapters.backends import make_backend
from antiphon_server.integration.adapters.http import HttpPool
from antiphon_server.integration.adapters.memory import MemoryLedger
from antiphon_server.integration.model import (
    AttemptStarted,
    Call,
    CallId,
    Finished,
    FinishReason,
    Money,
    Outcome,
    Part,
    PromptMessage,
    SettledCall,
    Settlement,
    Step,
    Usage,
    UsageFilter,
)
from antiphon_server.integration.service.attempt import Attempts
from antiphon_server.integration.service.catalogue import Catalogue
from antiphon_server.integration.service.generation import Generator, Patience
from antiphon_server.integration.settings import ModelSettings, model_named
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.integration.world import WORKSPACE, Recorder, on_wire, order

QUICK = Patience(first_wait_s=0.001)
ECHO = model_named("scripted/echo")


class World:
    """A generator on a ledger in memory, and an endpoint for its models."""

    def __init__(self, endpoint: FakeEndpoint, pool: HttpPool) -> None:
        self.endpoint = endpoint
        self.ledger = MemoryLedger()
        self._pool = pool
        self._catalogues: list[Catalogue] = []

    def generator(self, *models: ModelSettings, patience: Patience = QUICK) -> Generator:
        """A generator of these models, by default one on the endpoint."""
        catalogue = Catalogue(
            models or [on_wire(self.endpoint.base_url)], lambda one: make_backend(one, self._pool)
        )
        self._catalogues.append(catalogue)
        return Generator(catalogue, Attempts(self.ledger, "me"), patience)

    async def calls(self) -> list[SettledCall]:
        """What was settled, the oldest first."""
        return (await self.ledger.calls(UsageFilter(WORKSPACE), None, 100))[::-1]

    async def close(self) -> None:
        """Release everything."""
        for catalogue in self._catalogues:
            await catalogue.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    pool = HttpPool()
    async with FakeEndpoint(Behaviour(deltas=4)) as endpoint:
        world = World(endpoint, pool)
        yield world
        await world.close()
        await pool.close()


async def test_an_answer_is_attempt_texts_and_end(world: World) -> None:
    """In that order, with what the ledger says of it."""
    steps = Recorder()
    await world.generator().run(order(), steps)
    (call,) = await world.calls()
    usage = Usage(11, 20, False, Money("USD", 310_000))
    assert steps.steps[0] == AttemptStarted(call.call_id, call.model, "")
    assert steps.text == "word " * 4
    assert steps.steps[-1] == Finished(call.model, FinishReason.STOP, usage)
    assert (call.settlement.outcome, call.settlement.usage) == (Outcome.SUCCEEDED, usage)
    assert (call.payer.conversation_id, call.payer.turn_id) == ("conv_00000001", "turn_00000001")


async def test_usage_that_is_not_reported_is_estimated(world: World) -> None:
    """At four bytes a token, and marked so."""
    world.endpoint.behaviour = Behaviour(deltas=4, usage=None)
    await world.generator().run(order(), Recorder())
    (call,) = await world.calls()
    assert call.settlement.usage == Usage(6, 5, True, Money("USD", 110_000))


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
    assert finished.usage == Usage(6 + 11, 20, True, Money("USD", 370_000))


async def test_the_last_failure_is_raised_when_retries_are_used_up(world: World) -> None:
    """With its reason."""
    world.endpoint.behaviour = Behaviour("503")
    with pytest.raises(DomainError) as raised:
        await world.generator().run(order(), Recorder())
    assert raised.value.reason is Reason.MODEL_UNAVAILABLE
    assert len(world.endpoint.seen) == 3


@pytest.mark.parametrize("mode", ["401", "hang"])
async def test_refusal_and_silence_are_not_retried(world: World, mode: str) -> None:
    """Asking again would not help, or take too long."""
    world.endpoint.behaviour = Behaviour(mode)
    model = on_wire(world.endpoint.base_url, first_byte_timeout_s=0.05)
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
    with pytest.raises(DomainError) as raised:
        await generator.run(order("openai/small", "scripted/echo"), steps)
    assert raised.value.reason is Reason.MODEL_PROTOCOL
    assert steps.text == "word word "
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.FAILED
    assert call.settlement.usage == Usage(6, 3, True, Money("USD", 90_000))


async def test_retry_after_is_waited_for_only_within_the_budget(world: World) -> None:
    """A provider that asks for too long a wait is left for the next model."""
    world.endpoint.behaviour = Behaviour("429", retry_after="0.2")
    patience = Patience(retries=2, first_wait_s=0.001, longest_waits_s=0.3)
    begun = time.monotonic()
    with pytest.raises(DomainError) as raised:
        await world.generator(patience=patience).run(order(), Recorder())
    assert 0.2 <= time.monotonic() - begun < 0.4
    assert raised.value.retry_after == 0.2
    assert len(world.endpoint.seen) == 2


async def test_the_whole_has_a_time_limit(world: World) -> None:
    """A drip of text does not go on for ever, and is settled as failed."""
    world.endpoint.behaviour = Behaviour(deltas=1000, gap_ms=5)
    generator = world.generator(patience=Patience(total_s=0.1))
    with pytest.raises(DomainError) as raised:
        await generator.run(order(), Recorder())
    assert raised.value.reason is Reason.MODEL_TIMEOUT
    await world.endpoint.wait_aborted()
    (call,) = await world.calls()
    assert call.settlement.error_reason == "MODEL_TIMEOUT"


async def test_an_unknown_model_is_refused_before_anything(world: World) -> None:
    """Even where another one would do."""
    with pytest.raises(DomainError) as raised:
        await world.generator().run(order("openai/small", "x/y"), Recorder())
    assert raised.value.reason is Reason.MODEL_NOT_FOUND
    assert raised.value.metadata == {"model": "x/y"}
    assert not world.endpoint.seen


class SlowLedger(MemoryLedger):
    """A ledger whose disk is slow; notes when each thing was done."""

    def __init__(self, delay_s: float) -> None:
        super().__init__()
        self._delay_s = delay_s
        self.opened: list[float] = []

    async def open(self, call: Call, owner: str) -> None:
        await asyncio.sleep(self._delay_s)
        await super().open(call, owner)
        self.opened.append(time.monotonic())

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        await asyncio.sleep(self._delay_s)
        await super().settle(call_id, settlement)


class FailingLedger(MemoryLedger):
    """A ledger whose store is away at first when something is settled."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self._failures = failures

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        await super().settle(call_id, settlement)


async def test_a_call_is_settled_when_the_store_is_back(world: World) -> None:
    """A store that is away for a moment costs neither the entry nor the answer."""
    world.ledger = FailingLedger(2)
    recorder = Recorder()
    await world.generator().run(order(), recorder)
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.SUCCEEDED
    assert isinstance(recorder.steps[-1], Finished)


async def test_a_call_is_written_down_before_it_is_made(world: World) -> None:
    """The provider is asked only after the commit."""
    world.ledger = ledger = SlowLedger(0.05)
    await world.generator().run(order(), Recorder())
    assert ledger.opened[0] <= world.endpoint.seen[0].received


@pytest.mark.parametrize("mode", ["hang", "ok"])
async def test_a_cancelled_call_is_settled_and_its_connection_closed_first(
    world: World, mode: str
) -> None:
    """Within 100 ms, however long the ledger takes; with what was said until then."""
    world.ledger = SlowLedger(0.3)
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
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await world.endpoint.wait_aborted() - stopped < 0.1
    (call,) = await world.calls()
    said_tokens = -(-len("".join(texts)) // 4)
    assert call.settlement.outcome is Outcome.CANCELLED
    assert call.settlement.usage == Usage(
        6, said_tokens, True, Money("USD", (6 + said_tokens) * 10_000)
    )


async def test_a_call_cancelled_while_it_is_written_down_is_settled_too(world: World) -> None:
    """No entry stays open, and the provider is never asked."""
    world.ledger = SlowLedger(0.05)
    task = asyncio.create_task(world.generator().run(order(), Recorder()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (call,) = await world.calls()
    assert call.settlement.outcome is Outcome.CANCELLED
    assert not world.endpoint.seen


async def test_cancelling_twice_changes_nothing(world: World) -> None:
    """An impatient caller gets the same settlement."""
    world.ledger = SlowLedger(0.05)
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


async def test_a_listener_that_fails_stops_the_call(world: World) -> None:
    """Its error is raised as it is; nothing is retried."""
    world.endpoint.behaviour = Behaviour(deltas=1000, gap_ms=5)

    async def emit(step: Step) -> None:
        if isinstance(step, str):
            raise DomainError(Reason.OVERLOADED, resource="stream")

    with pytest.raises(DomainError) as raised:
        await world.generator().run(order(), emit)
    assert raised.value.reason is Reason.OVERLOADED
    await world.endpoint.wait_aborted()
    assert len(world.endpoint.seen) == 1
    assert len(await world.calls()) == 1


class BrokenLedger(MemoryLedger):
    """A ledger whose disk is full, from the first settlement or from the start."""

    def __init__(self, *, opens: bool) -> None:
        super().__init__()
        self._opens = opens
        self.settling = 0

    async def open(self, call: Call, owner: str) -> None:
        await asyncio.sleep(0)
        if not self._opens:
            raise DomainError(Reason.STORE_UNAVAILABLE)

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        self.settling += 1
        raise DomainError(Reason.STORE_UNAVAILABLE)


async def test_what_cannot_be_written_down_is_not_done(world: World) -> None:
    """Without a ledger no provider is asked, and who asks is told at once."""
    world.ledger = ledger = BrokenLedger(opens=False)
    with pytest.raises(DomainError) as raised:
        await world.generator().run(order(), Recorder())
    assert raised.value.reason is Reason.STORE_UNAVAILABLE
    assert not world.endpoint.seen
    assert ledger.settling == 0


async def test_a_cancelled_call_that_was_not_written_down_is_not_settled(world: World) -> None:
    """Whoever cancels does not wait for a store that is away."""
    world.ledger = ledger = BrokenLedger(opens=False)
    task = asyncio.create_task(world.generator().run(order(), Recorder()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.settling == 0


async def test_an_answer_is_not_lost_for_its_settlement(world: World) -> None:
    """The entry stays open, and becomes UNKNOWN at the next start."""
    world.ledger = BrokenLedger(opens=True)
    steps = Recorder()
    await world.generator().run(order(), steps)
    assert isinstance(steps.steps[-1], Finished)


async def test_a_model_refuses_parts_that_it_cannot_take(world: World) -> None:
    """Before it is asked, naming the message."""
    it = order()
    picture = PromptMessage("user", (Part("image", "https://x/y.png"),))
    it = replace(it, prompt=replace(it.prompt, messages=(*it.prompt.messages, picture)))
    with pytest.raises(DomainError) as raised:
        await world.generator().run(it, Recorder())
    assert raised.value.reason is Reason.INVALID_ARGUMENT
    assert raised.value.violations[0].field == "messages[1].parts"
    taking = on_wire(world.endpoint.base_url, accepts=["text", "image"])
    await world.generator(taking).run(it, Recorder())
