"""Workers that are let in, and say what they must not: each is told why, and hurts nobody."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import worker_pb2
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.workers.limits import VersionLimits
from tests.e2e.refusals import reason_in, reason_of
from tests.e2e.until import until_it
from tests.workers.bare import (
    BareWorker,
    every_frame,
    finish,
    frames_about,
    introduced,
    question,
    text,
)
from tests.workers.staged import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
KIB = 1024
UNKNOWN = worker_pb2.Assign(
    turn_id="turn_unknown-0001", conversation_id="conv_unknown-0001", fence=1
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bad")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole: Stage) -> AsyncIterator[Stage]:
    async with whole.bystanders():
        yield whole


async def test_who_speaks_before_hello(stage: Stage) -> None:
    """Whatever it says: the stream ends."""
    token = await stage.token()
    for kind, frame in every_frame(UNKNOWN, introduced("bad")).items():
        if kind != "hello":
            worker = BareWorker(stage.channel, token)
            await worker.say(**frame)
            assert await worker.ended() == "INVALID_ARGUMENT", kind


@pytest.mark.parametrize(
    "hello",
    [
        introduced(),
        introduced("Bad Name"),
        introduced("bad", slots=5000),
        introduced("bad", worker_id="me"),
        introduced("bad", library="x" * 65),
        introduced("bad", held=[worker_pb2.HeldTurn(turn_id="x")]),
    ],
)
async def test_who_says_what_it_is_by_no_rule(stage: Stage, hello: worker_pb2.Hello) -> None:
    worker = BareWorker(stage.channel, await stage.token())
    await worker.say(hello=hello)
    assert await worker.ended() == "INVALID_ARGUMENT"


async def test_who_says_hello_twice(stage: Stage) -> None:
    """The stream ends; its turn waits for it, and goes on."""
    hello = introduced("bad")
    worker = await stage.worker(hello=hello)
    assign = await stage.assigned(worker)
    await worker.say(hello=hello)
    assert await worker.ended() == "INVALID_ARGUMENT"
    about = {"turn_id": assign.turn_id, "conversation_id": assign.conversation_id}
    hello.held.add(fence=1, **about)
    back = await stage.worker(hello=hello)
    held = await back.told("assign")
    assert held.held
    await back.say(**finish(held, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


@pytest.mark.parametrize("whose", ["bad", "other"])
async def test_of_turns_that_it_has_not(stage: Stage, whose: str) -> None:
    """Those that nobody has, and another worker's, of its own user and of another one."""
    owner, thief = await stage.worker(whose), await stage.worker(slots=0)
    assign = await stage.assigned(owner, whose)
    for turn in (UNKNOWN, assign):
        for kind, frame in frames_about(turn).items():
            assert await thief.rejected(**frame) == "TURN_NOT_HELD", kind
    both = [UNKNOWN.turn_id, assign.turn_id]
    await thief.say(heartbeat=worker_pb2.Heartbeat(turn_ids=both))
    assert list((await thief.told("beat")).turn_ids) == []
    await owner.say(heartbeat=worker_pb2.Heartbeat(turn_ids=both * 500))
    assert list((await owner.told("beat")).turn_ids) == [assign.turn_id]
    await owner.say(**text(assign, 1, "mine"))
    await owner.say(**finish(assign, 1))
    assert await stage.done(assign) == ("SUCCEEDED", 1, ["mine"])


async def test_by_other_fences(stage: Stage) -> None:
    """One that has been, and one that is to come; of who had it, any."""
    first, second = await stage.worker(), await stage.worker(slots=0)
    old = await stage.assigned(first)
    await first.say(**text(old, 1, "one "))
    await first.told("ack")
    await second.say(credit=worker_pb2.Credit(slots=1))
    await first.say(**frames_about(old)["decline"])
    assign = await second.told("assign")
    assert (assign.fence, assign.sequence, assign.text) == (2, 1, "one ")
    for fence in (1, 3, 1000):
        other = worker_pb2.Assign(turn_id=assign.turn_id, fence=fence, sequence=1)
        for kind, frame in frames_about(other).items():
            assert await second.rejected(**frame) == "TURN_NOT_HELD", (kind, fence)
            assert await first.rejected(**frame) == "TURN_NOT_HELD", (kind, fence)
    await second.say(**text(assign, 2, "two"))
    await second.say(**finish(assign, 2))
    assert await stage.done(assign) == ("SUCCEEDED", 2, ["one", "two"])


async def test_by_numbers_that_are_not_next(stage: Stage) -> None:
    """None, one that leaves a gap, and one that was said already: of that the first counts."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    assert await worker.rejected(**text(assign, 0, "none")) == "INVALID_ARGUMENT"
    assert await worker.rejected(**text(assign, -1, "none")) == "INVALID_ARGUMENT"
    assert await worker.rejected(**text(assign, 2, "gap")) == "INVALID_ARGUMENT"
    assert await worker.rejected(**text(assign, 2**62, "gap")) == "INVALID_ARGUMENT"
    await worker.say(**text(assign, 1, "first"))
    assert (await worker.told("ack")).sequence == 1
    await worker.say(**text(assign, 1, "second"))
    assert (await worker.told("ack")).sequence == 1
    await worker.say(**finish(assign, 1))
    assert await stage.done(assign) == ("SUCCEEDED", 1, ["first"])


async def test_by_outputs_that_break_rules(stage: Stage) -> None:
    """Each is refused, its number is not used up, and the stream goes on."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    about = {"turn_id": assign.turn_id, "fence": assign.fence, "sequence": 1}
    long = [Part(text="x" * 60 * KIB)] * 2
    for step in (
        {},
        {"text": ""},
        {"text": "x" * 64 * KIB + "x"},
        {"text": "x" * 900 * KIB},
        {"progress": worker_pb2.OutputProgress(status="half", fraction=2)},
        {"progress": worker_pb2.OutputProgress(status="half", fraction=float("nan"))},
        {"tool_call": worker_pb2.OutputToolCall(tool="no name")},
        {"tool_call": worker_pb2.OutputToolCall(tool="it", arguments_json="[]")},
        {"tool_call": worker_pb2.OutputToolCall(tool="it", arguments_json="[" * 60 * KIB)},
        {"tool_result": worker_pb2.OutputToolResult(call_sequence=1)},
        {"tool_result": worker_pb2.OutputToolResult(call_sequence=7)},
        {"tool_result": worker_pb2.OutputToolResult(call_sequence=1, parts=long)},
    ):
        output = worker_pb2.Output(**about, **step)
        assert await worker.rejected(output=output) == "INVALID_ARGUMENT", str(step)[:80]
    await worker.say(**text(assign, 1, "x" * 64 * KIB))
    await worker.say(**finish(assign, 1))
    state, attempt, said = await stage.done(assign)
    assert (state, attempt, len(said[0])) == ("SUCCEEDED", 1, 64 * KIB)


async def test_beyond_what_may_be_on_its_way(stage: Stage) -> None:
    """While nothing is stored, 64 outputs wait, and no more than that of anything else."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await worker.say(**question(assign, 1))
    for number in range(1, 65):
        await worker.say(**text(assign, number, "x"))
    assert await worker.rejected(**text(assign, 65, "x")) == "LIMIT_EXCEEDED"
    came = {await _said_again(worker, question(assign, number)) for number in range(1, 300)}
    assert came == {"", "LIMIT_EXCEEDED"}
    await stage.client.cancel_turn(assign.conversation_id, assign.turn_id)
    assert await stage.done(assign) == ("CANCELLED", 1, [])


async def _said_again(worker: BareWorker, frame: dict[str, Any]) -> str:
    """Why it was not taken; "" if it was."""
    await worker.say(**frame)
    await worker.say(heartbeat=worker_pb2.Heartbeat())
    why = ""
    while True:
        told = await worker.stream.read()
        if told.WhichOneof("frame") == "beat":
            return why
        if told.WhichOneof("frame") == "rejected":
            why = reason_in(told.rejected.error)


async def test_beyond_its_slots(stage: Stage) -> None:
    """Who lowers them while it has turns keeps those, and gets no more until it has room."""
    worker = await stage.worker(slots=2)
    first, second = await stage.assigned(worker), await stage.assigned(worker)
    await worker.say(credit=worker_pb2.Credit(slots=1))
    for slots in (-1, 1001, 2**31 - 1):
        assert await worker.rejected(credit=worker_pb2.Credit(slots=slots)) == "INVALID_ARGUMENT"
    third = await stage.dispatched()
    await worker.say(**finish(first, 0))
    assert await stage.done(first) == ("SUCCEEDED", 1, [])
    await worker.say(**finish(second, 0))
    assert (await worker.told("assign")).turn_id == third.turn_id
    assert await stage.done(second) == ("SUCCEEDED", 1, [])


async def test_it_may_not_hold_what_it_never_had(stage: Stage) -> None:
    """It is told the same of what is not there, of what runs, and of what has ended."""
    owner = await stage.worker("other")
    over, runs = await stage.assigned(owner, "other"), await stage.assigned(owner, "other")
    await owner.say(**finish(over, 0))
    await stage.done(over)
    for fence in (1, 2, 99):
        hello = introduced("bad")
        for it in (UNKNOWN, over, runs):
            hello.held.add(turn_id=it.turn_id, conversation_id=it.conversation_id, fence=fence)
        thief = await stage.worker(hello=hello)
        told = [await thief.told("revoke") for _ in range(3)]
        assert {it.turn_id for it in told} == {it.turn_id for it in (UNKNOWN, over, runs)}
        assert {(it.fence, it.reason) for it in told} == {(fence, worker_pb2.REVOKE_REASON_FENCED)}
        assert await thief.rejected(**text(runs, 1, "stolen")) == "TURN_NOT_HELD"
    await owner.say(**text(runs, 1, "mine"))
    await owner.say(**finish(runs, 1))
    assert await stage.done(runs) == ("SUCCEEDED", 1, ["mine"])


async def test_it_does_not_keep_what_went_on_elsewhere(stage: Stage) -> None:
    """Whoever comes back too late is told so soon: it would work for nothing."""
    late = introduced("bad")
    first = await stage.worker(hello=late)
    assign = await stage.assigned(first)
    second = await stage.worker()
    await first.say(**text(assign, 1, "mine"))
    await first.say(decline=worker_pb2.Decline(turn_id=assign.turn_id, fence=1))
    taken = await second.told("assign")
    await second.say(**text(taken, 2, " and mine"))
    first.cut()
    about = {"turn_id": assign.turn_id, "conversation_id": assign.conversation_id}
    late.held.add(fence=1, sequence=1, **about)
    back = await stage.worker(hello=late)

    async def live() -> None:
        heartbeat = worker_pb2.Heartbeat(turn_ids=[assign.turn_id])
        while True:
            for it in (second, back):
                await it.say(heartbeat=heartbeat)
            await asyncio.sleep(1)

    living = asyncio.create_task(live())
    try:
        assert (await back.told("revoke")).reason == worker_pb2.REVOKE_REASON_FENCED
    finally:
        living.cancel()
    await second.say(**finish(taken, 2))
    assert await stage.done(taken) == ("SUCCEEDED", 2, ["mine", "and", "mine"])


@pytest.mark.parametrize("away", [False, True])
async def test_it_may_not_be_another(stage: Stage, away: bool) -> None:
    """Who goes by the name of another user's worker gets none of its turns, nor ends them."""
    name = introduced("other", worker_id=new_id("worker"))
    owner = await stage.worker("other", hello=name)
    assign = await stage.assigned(owner, "other")
    about = {"turn_id": assign.turn_id, "conversation_id": assign.conversation_id}
    held = [worker_pb2.HeldTurn(fence=1, **about)]
    if away:
        owner.cut()

        async def gone() -> bool:
            there = [it async for it in stage.client.list_workers("global")]
            return name.worker_id not in {it.worker_id for it in there}

        await until_it(gone)
    for claimed in (held, []):
        thief = BareWorker(stage.channel, await stage.token())
        await thief.say(hello=introduced("bad", worker_id=name.worker_id, held=claimed))
        if away:
            await thief.told("welcome")
            if claimed:
                assert (await thief.told("revoke")).reason == worker_pb2.REVOKE_REASON_FENCED
            assert await thief.rejected(**text(assign, 1, "stolen")) == "TURN_NOT_HELD"
            thief.cut()
        else:
            assert await thief.ended() == "ALREADY_EXISTS"
    if away:
        await until_it(gone)
        name.held.extend(held)
        owner = await stage.worker("other", hello=name)
        assign = await owner.told("assign")
        assert assign.held
    await owner.say(**text(assign, 1, "mine"))
    await owner.say(**finish(assign, 1))
    assert await stage.done(assign) == ("SUCCEEDED", 1, ["mine"])


async def test_finish_says_the_last_output_and_ends_all(stage: Stage) -> None:
    """With outputs missing it is refused; said twice it counts once; nothing is taken behind it."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await worker.say(**text(assign, 1, "one"))
    for missing in (0, 2, 99):
        assert await worker.rejected(**finish(assign, missing)) == "INVALID_ARGUMENT"
    await worker.say(**finish(assign, 1))
    await worker.say(**finish(assign, 1))
    assert await worker.rejected(**text(assign, 2, "two")) == "TURN_NOT_HELD"
    assert await stage.done(assign) == ("SUCCEEDED", 1, ["one"])
    for kind, frame in frames_about(assign).items():
        assert await worker.rejected(**frame) == "TURN_NOT_HELD", kind


async def test_nothing_is_taken_behind_a_stop(stage: Stage) -> None:
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await worker.say(**text(assign, 1, "one"))
    await worker.told("ack")
    await stage.client.cancel_turn(assign.conversation_id, assign.turn_id)
    await worker.told("cancel")
    assign.sequence = 1
    for kind, frame in frames_about(assign).items():
        assert await worker.rejected(**frame) == "TURN_NOT_HELD", kind
    assert await stage.done(assign) == ("CANCELLED", 1, ["one"])


async def test_nothing_is_taken_behind_a_decline(stage: Stage) -> None:
    """The next worker has it, who alone is heard."""
    first, second = await stage.worker(), await stage.worker(slots=0)
    assign = await stage.assigned(first)
    frames = frames_about(assign)
    await first.say(**frames.pop("decline"))
    for kind, frame in frames.items():
        assert await first.rejected(**frame) == "TURN_NOT_HELD", kind
    await second.say(credit=worker_pb2.Credit(slots=1))
    again = await second.told("assign")
    await second.say(**finish(again, 0))
    state, _, said = await stage.done(assign)
    assert (state, said) == ("SUCCEEDED", [])


async def test_a_usage_that_nobody_has_is_no_harm(stage: Stage) -> None:
    """Numbers below zero count as none."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    end = finish(assign, 0)
    end["finish"].usage.input_tokens = -(2**62)
    end["finish"].usage.cost.micros = -1
    end["finish"].model = "x"
    await worker.say(**end)
    assert (await stage.done(assign))[0] == "SUCCEEDED"


async def test_who_names_ever_more_deployments(stage: Stage) -> None:
    """They are counted until they are gone: one too many is told what to do; known ones come in."""
    token = await stage.token()

    async def come(*deployments: str) -> None:
        for it in deployments:
            worker = BareWorker(stage.channel, token)
            await worker.welcomed(introduced("bad", deployment=it))
            worker.cut()

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await come(*(f"bare-{at}" for at in range(VersionLimits().of_parent + 1)))
    assert reason_of(refused.value) == "LIMIT_EXCEEDED"
    assert refused.value.details() == (
        "The limit 200 deployments a parent is reached. Give workers that serve the same thing one "
        "deployment, whatever their version; one that has neither workers nor turns nor a rollout "
        "is gone after 30 s."
    )
    await come("bare-1")
