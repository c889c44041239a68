"""Handlers that can't go on behind what was said (LOSS_POLICY_FAIL), and workers that give back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1.turn_pb2 import LOSS_POLICY_FAIL
from tests.e2e.refusals import reason_in
from tests.workers.bare import BareWorker, finish, frames_about, introduced, text
from tests.workers.staged import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("lost")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole: Stage) -> AsyncIterator[Stage]:
    async with whole.bystanders():
        yield whole


def _hello() -> worker_pb2.Hello:
    hello = introduced("bad")
    hello.handlers[0].loss_policy = LOSS_POLICY_FAIL
    return hello


async def _two(stage: Stage) -> tuple[BareWorker, BareWorker, Any]:
    """One that has a turn, another one, and that turn."""
    first = await stage.worker(hello=_hello())
    assign = await stage.assigned(first)
    return first, await stage.worker(hello=_hello()), assign


async def test_what_nobody_has_begun_goes_to_another(stage: Stage) -> None:
    """It is given back by who stops, and has said nothing of it but that it has it."""
    first, second, assign = await _two(stage)
    frames = frames_about(assign)
    await first.say(**frames["accept"])
    await first.say(**frames["decline"])
    await second.say(**finish(await second.told("assign"), 0))
    assert await stage.done(assign) == ("SUCCEEDED", 2, [])


@pytest.mark.parametrize("frame", ["output", "ask"])
async def test_what_was_begun_is_lost(stage: Stage, frame: str) -> None:
    """Though it was given back; what was said is kept."""
    first, _, assign = await _two(stage)
    ask = worker_pb2.AskedToolCalls(calls=[worker_pb2.AskedToolCall(tool="nothing.tool")])
    about = {"turn_id": assign.turn_id, "fence": assign.fence}
    if frame == "output":
        await first.say(**text(assign, 1, "said"))
        await first.told("ack")
    else:
        await first.say(ask=worker_pb2.Ask(**about, number=1, tool_calls=ask))
        await first.told("answer")
    await first.say(decline=worker_pb2.Decline(**about))
    said = ["said"] if frame == "output" else []
    state, _, kept = await stage.done(assign)
    assert (state, kept) == ("FAILED", said)
    turn = await stage.client.get_turn(assign.conversation_id, assign.turn_id)
    assert reason_in(turn.error) == "TURN_LOST"


async def test_what_was_begun_before_is_lost_behind_one_that_has_not_begun(stage: Stage) -> None:
    """Whoever gave it back last."""
    goes_on = introduced("bad")
    first = await stage.worker(hello=goes_on)
    assign = await stage.assigned(first)
    second = await stage.worker()
    await first.say(**text(assign, 1, "said"))
    await first.told("ack")
    await first.say(**frames_about(assign)["decline"])
    again = await second.told("assign")
    await stage.worker(hello=_hello())
    await second.say(**frames_about(again)["decline"])
    state, _, kept = await stage.done(assign)
    assert (state, kept) == ("FAILED", ["said"])
