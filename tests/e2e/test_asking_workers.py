"""Workers that ask for what they may not have: each is answered, or told why."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL
from antiphon.context.v1.message_pb2 import Part, Reference
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED
from antiphon_client import Client, Password
from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.workers.call_ids import asked_turn
from tests.e2e.callers import PASSWORD, user
from tests.e2e.refusals import reason_in, reason_of
from tests.e2e.test_tools import _seen as seen
from tests.workers.bare import finish, introduced, signed
from tests.workers.staged import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
KIB = 1024
IMAGE = Part(image=Reference(uri="https://example.com/a.png", media_type="image/png"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("asking")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole: Stage) -> AsyncIterator[Stage]:
    async with whole.bystanders():
        yield whole


def _ask(assign: Any, number: int = 1, **what: Any) -> dict[str, Any]:
    about = {"turn_id": assign.turn_id, "fence": assign.fence, "number": number}
    return {"ask": worker_pb2.Ask(**about, **what)}


def _call(tool: str, arguments: str = "{}") -> dict[str, Any]:
    call = worker_pb2.AskedToolCall(tool=tool, arguments_json=arguments)
    return {"tool_calls": worker_pb2.AskedToolCalls(calls=[call])}


def _turns(*handlers: str, said: str = "go", **more: Any) -> dict[str, Any]:
    parts = [Part(text=said)]
    asked = [worker_pb2.AskedTurn(handler=it, parts=parts, **more) for it in handlers]
    return {"turns": worker_pb2.AskedTurns(turns=asked)}


def _question(schema: str) -> dict[str, Any]:
    return {"question": worker_pb2.AskedQuestion(message="Who?", schema_json=schema)}


async def test_asks_that_break_rules(stage: Stage) -> None:
    """Each is refused, and the turn goes on."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    large = [Part(text="x" * 60 * KIB)] * 2
    for frame in (
        _ask(assign),
        _ask(assign, 0, **_question("")),
        _ask(assign, 1001, **_question("")),
        _ask(assign, question=worker_pb2.AskedQuestion()),
        _ask(assign, question=worker_pb2.AskedQuestion(message="x" * 5 * KIB)),
        _ask(assign, tool_calls=worker_pb2.AskedToolCalls()),
        _ask(assign, **_call("nosource")),
        _ask(assign, **_call("source.tool", "x" * 65 * KIB)),
        _ask(assign, turns=worker_pb2.AskedTurns()),
        _ask(assign, **_turns(*["counter"] * 33)),
        _ask(assign, **_turns("counter", time_limit=Duration(seconds=-1))),
        _ask(assign, turns=worker_pb2.AskedTurns(turns=[_large(large)])),
    ):
        assert await worker.rejected(**frame) == "INVALID_ARGUMENT", str(frame)[:80]
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


def _large(parts: list[Part]) -> worker_pb2.AskedTurn:
    return worker_pb2.AskedTurn(handler="counter", parts=parts)


async def test_tools_that_it_has_not(stage: Stage) -> None:
    """The answer says so, of what is not there and of arguments that are no object."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    calls = [
        worker_pb2.AskedToolCall(tool="nothing.tool", arguments_json=it)
        for it in ("{}", "[]", "nonsense")
    ]
    asked = worker_pb2.AskedToolCalls(calls=calls)
    await worker.say(**_ask(assign, tool_calls=asked))
    answer = await worker.told("answer")
    came = [reason_in(it.error) for it in answer.tool_calls.ends]
    assert came == ["TOOL_NOT_FOUND", "TOOL_ARGUMENTS_INVALID", "TOOL_ARGUMENTS_INVALID"]
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


async def test_another_ask_by_the_number_of_one_that_failed(stage: Stage) -> None:
    """As a later attempt may ask that takes another path: it is one of its own, in either order."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await worker.say(**_ask(assign, 1, **_call("nothing.tool")))
    (end,) = (await worker.told("answer")).tool_calls.ends
    assert reason_in(end.error) == "TOOL_NOT_FOUND"
    await worker.say(**_ask(assign, 1, **_question("")))
    event = await seen(stage.client, assign.conversation_id, "tool_call_question_asked")
    where = (assign.conversation_id, assign.turn_id, event.tool_call_question_asked)
    await stage.client.answer_tool_call(*where)
    said = (await worker.told("answer")).answer
    assert said.action == TOOL_ANSWER_ACTION_ACCEPTED
    await worker.say(**_ask(assign, 1, **_turns("nobodys")))
    (child,) = (await worker.told("answer")).turns.ends
    assert reason_in(child.error) == "HANDLER_NOT_FOUND"
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


NOT_SHOWN = [
    "[]",
    "{",
    '{"type": "array"}',
    '{"properties": []}',
    '{"properties": {"a": 1}}',
    '{"properties": {"a": {"type": "object"}}}',
    '{"properties": {"a": {"type": ["string"]}}}',
    '{"properties": {"a": {"type": "string", "enum": 5}}}',
    '{"required": ["a"]}',
    '{"$ref": "https://example.com/schema", "required": [{}]}',
]


async def test_forms_that_nobody_can_be_shown(stage: Stage) -> None:
    """They are refused before anybody is asked, who could not answer."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    for schema in NOT_SHOWN:
        frame = _ask(assign, **_question(schema))
        assert await worker.rejected(**frame) == "INVALID_ARGUMENT", schema
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


async def test_handlers_of_others(stage: Stage) -> None:
    """Of another workspace's it is told what it is told of those that are not there."""
    stranger = await user(stage.server, "stranger")
    program = await stage.client.get_user("other")
    async with Client.connect(stage.server.address, Password("stranger", PASSWORD)) as owner:
        await owner.allow_worker(stranger.known["ws"], "theirs", program.user_id)
    theirs = await stage.worker("other", introduced("theirs"))
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await worker.say(**_ask(assign, **_turns("theirs", "nobodys", "x" * 64, "bad name")))
    ends = (await worker.told("answer")).turns.ends
    assert [reason_in(it.error) for it in ends] == ["HANDLER_NOT_FOUND"] * 4
    assert [it.text for it in ends] == [""] * 4
    await theirs.say(heartbeat=worker_pb2.Heartbeat())
    frame = await theirs.stream.read()
    assert frame.WhichOneof("frame") == "beat"
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


async def test_more_turns_than_one_may_ask_for(stage: Stage) -> None:
    """64 in all; of others the answer says so."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    refused = 0
    for number in range(1, 4):
        await worker.say(**_ask(assign, number, **_turns(*["echo"] * 32)))
        ends = (await worker.told("answer")).turns.ends
        refused += sum(it.HasField("error") for it in ends)
        assert {reason_in(it.error) for it in ends if it.HasField("error")} <= {"LIMIT_EXCEEDED"}
    assert refused == 32
    await worker.say(**finish(assign, 0))
    assert (await stage.done(assign))[:2] == ("SUCCEEDED", 1)


async def test_a_turns_time_stands_still_while_it_waits(stage: Stage) -> None:
    """Its children have what is left of it, and a worker that is back hears of it."""
    hello = introduced("bad")
    worker = await stage.worker(hello=hello)
    conversation = await stage.client.create_conversation()
    turn = pb.DispatchRequest(handler="bad", parts=[Part(text="go")], turn_id=new_id("turn"))
    turn.conversation_id = conversation.conversation_id
    turn.time_limit.FromSeconds(5)
    metadata = signed(await stage.client.tokens.get())
    await DispatcherServiceStub(stage.channel).Dispatch(turn, metadata=metadata)
    assign = await worker.told("assign")
    for number in (1, 2):
        await worker.say(**_ask(assign, number, **_turns("counter", said="300 10")))
        (end,) = (await worker.told("answer")).turns.ends
        assert not end.HasField("error"), reason_in(end.error)
    worker.cut()
    hello.held.add(turn_id=turn.turn_id, conversation_id=turn.conversation_id, fence=assign.fence)
    held = await (await stage.worker(hello=hello)).told("assign")
    assert held.deadline.ToSeconds() - assign.deadline.ToSeconds() >= 5
    await stage.client.cancel_turn(turn.conversation_id, turn.turn_id)


async def test_parts_that_a_handler_does_not_take(stage: Stage) -> None:
    """They are refused of a turn as they are of a user."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    asked = worker_pb2.AskedTurn(handler="bad", parts=[Part(text="go"), IMAGE])
    await worker.say(**_ask(assign, turns=worker_pb2.AskedTurns(turns=[asked])))
    (end,) = (await worker.told("answer")).turns.ends
    assert reason_in(end.error) == "INVALID_ARGUMENT"
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])


async def test_parts_that_another_workspaces_worker_takes(stage: Stage) -> None:
    """They are refused where it is not to be had, whatever it takes, and whoever asks."""
    stranger = await user(stage.server, "strange")
    program = await stage.client.get_user("other")
    async with Client.connect(stage.server.address, Password("strange", PASSWORD)) as owner:
        await owner.allow_worker(stranger.known["ws"], "bad", program.user_id)
    await stage.worker()
    theirs = introduced("bad")
    theirs.handlers[0].takes.append("image")
    await stage.worker("other", theirs)
    conversation = await stage.client.create_conversation()
    turn = pb.DispatchRequest(handler="bad", parts=[Part(text="go"), IMAGE])
    turn.conversation_id = conversation.conversation_id
    metadata = signed(await stage.client.tokens.get())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await DispatcherServiceStub(stage.channel).Dispatch(turn, metadata=metadata)
    assert reason_of(refused.value) == "INVALID_ARGUMENT"


async def test_a_turn_that_somebody_else_has_asked_for_is_no_child(stage: Stage) -> None:
    """Children's ids can be worked out, and clients choose theirs: its answer is nobody's here."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    await stage.client.dispatch(
        assign.conversation_id,
        "approved",
        handler="echo",
        turn_id=asked_turn(TurnId(assign.turn_id), 1, 0),
        policy=TURN_POLICY_PARALLEL,
    )
    await worker.say(**_ask(assign, **_turns("echo")))
    (end,) = (await worker.told("answer")).turns.ends
    assert (reason_in(end.error), end.text) == ("REQUEST_ID_REUSED", "")
    await worker.say(**finish(assign, 0))
    assert (await stage.done(assign))[:2] == ("SUCCEEDED", 1)
