"""One call makes a conversation and posts to it: by Dispatch, and on a Converse stream."""

import asyncio
import contextlib
import json
import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.context.v1.context_service_pb2 import CONVERSATION_ORDER_LAST_ACTIVITY
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon_client import Client, new_turn_id
from antiphon_server.runtime.encoding.ids import new_id
from tests.e2e.callers import Caller, channel_to, operator
from tests.e2e.calls import Calls
from tests.e2e.refusals import reason_in, reason_of, refused
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")


def posting(
    text: str = "Hello", turn_id: str = "", handler: str = "echo", **new: str
) -> pb.DispatchRequest:
    """A post that makes its conversation."""
    return pb.DispatchRequest(
        new_conversation=pb.NewConversation(**new),  # type: ignore[arg-type]
        turn_id=turn_id,
        handler=handler,
        parts=[Part(text=text)],
    )


async def ids(calls: Calls) -> list[str]:
    """The caller's conversations."""
    found = await calls(calls.context.ListConversations, context_pb.ListConversationsRequest())
    return [each.conversation_id for each in found.conversations]


@pytest.fixture
def as_anna(channel: grpc.aio.Channel, anna: Caller) -> Calls:
    """Anna's calls."""
    return Calls(channel, anna, anna.known["conv"])


@pytest.fixture
def as_boss(channel: grpc.aio.Channel, boss: Caller) -> Calls:
    """A stranger's to Anna's conversations: operators have no role there."""
    return Calls(channel, boss, boss.known["conv"])


async def test_a_post_makes_its_conversation(as_anna: Calls) -> None:
    """As CreateConversation would; its log begins with that, and the answer follows."""
    request = posting(title="By hand", instructions="Be kind.")
    request.new_conversation.max_output_tokens = 77
    answer = await as_anna(as_anna.dispatcher.Dispatch, request)
    where = answer.turn.conversation_id
    found = await as_anna(
        as_anna.context.GetConversation, context_pb.GetConversationRequest(conversation_id=where)
    )
    made = found.conversation
    assert (made.title, made.instructions, made.max_output_tokens) == ("By hand", "Be kind.", 77)
    assert made.workspace_id == as_anna.caller.known["ws"]
    calls = Calls(as_anna.channel, as_anna.caller, where)
    assert (await calls.head()).last_offset >= 3


async def test_repeated_it_is_one_turn_in_one_conversation(as_anna: Calls) -> None:
    """By its turn id, one after another and all at once; another body is refused."""
    before = await ids(as_anna)
    request = posting(turn_id=new_turn_id(), title="Once")
    dispatch = as_anna.dispatcher.Dispatch
    answers = await asyncio.gather(*(as_anna(dispatch, request) for _ in range(5)))
    answers.append(await as_anna(dispatch, request))
    assert len({(it.turn.conversation_id, it.turn.turn_id, it.cursor) for it in answers}) == 1
    assert len(await ids(as_anna)) == len(before) + 1
    request.new_conversation.title = "Twice"
    assert await refused(as_anna(dispatch, request)) == "REQUEST_ID_REUSED"


async def test_a_chosen_id_may_be_there_already(as_anna: Calls) -> None:
    """For whoever may post there: the same command again says the next thing."""
    where = f"conv_{uuid.uuid4().hex}"
    first, second = [
        await as_anna(as_anna.dispatcher.Dispatch, posting(text, conversation_id=where))
        for text in ("Hello", "again")
    ]
    assert first.turn.conversation_id == second.turn.conversation_id == where
    assert first.turn.turn_id != second.turn.turn_id


async def test_a_stranger_learns_of_no_conversation(as_anna: Calls, as_boss: Calls) -> None:
    """Another's conversation is answered as one that is not there, and nothing is made."""
    chosen = f"conv_{uuid.uuid4().hex}"
    await as_anna(as_anna.dispatcher.Dispatch, posting(conversation_id=chosen))
    before = await ids(as_boss)
    for where in (as_anna.conversation_id, chosen, new_id("conv")):
        told = []
        for call in (
            as_boss(as_boss.dispatcher.Dispatch, posting(conversation_id=where)),
            as_boss(
                as_boss.context.CreateConversation,
                context_pb.CreateConversationRequest(conversation_id=where),
            ),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call
            told.append((reason_of(error.value), error.value.details()))
        assert {reason for reason, _ in told} == {"NOT_FOUND"}
        assert len(set(told)) == 1
    assert await ids(as_boss) == before


async def test_what_can_not_be_posted_makes_nothing(as_anna: Calls, as_boss: Calls) -> None:
    """A foreign workspace, a handler that is not there, and no place or two to post to."""
    before = await ids(as_boss)
    dispatch = as_boss.dispatcher.Dispatch
    foreign = posting(workspace_id=as_anna.caller.known["ws"])
    assert await refused(as_boss(dispatch, foreign)) == "NOT_FOUND"
    assert await refused(as_boss(dispatch, posting(handler="nobody"))) == "HANDLER_NOT_FOUND"
    both = posting()
    both.conversation_id = as_boss.conversation_id
    assert await refused(as_boss(dispatch, both)) == "INVALID_ARGUMENT"
    nowhere = pb.DispatchRequest(handler="echo", parts=[Part(text="Hello")])
    assert await refused(as_boss(dispatch, nowhere)) == "INVALID_ARGUMENT"
    assert await ids(as_boss) == before


async def test_a_message_that_can_not_be_posted_makes_nothing(as_anna: Calls) -> None:
    """One above 1 MiB."""
    before = await ids(as_anna)
    dispatch = as_anna.dispatcher.Dispatch
    large = posting()
    large.parts.extend([Part(text="x" * 250_000)] * 6)
    assert await refused(as_anna(dispatch, large)) == "INVALID_ARGUMENT"
    assert await ids(as_anna) == before


async def until_taken(calls: Calls, request: pb.DispatchRequest) -> pb.DispatchResponse:
    """The answer, when the turn that is just running of the same caller has ended."""
    answers: list[pb.DispatchResponse] = []

    async def taken() -> bool:
        with contextlib.suppress(grpc.aio.AioRpcError):
            answers.append(await calls(calls.dispatcher.Dispatch, request))
        return bool(answers)

    await until_it(taken)
    return answers[0]


async def test_beyond_the_callers_turns_nothing_is_made(tmp_path: Path) -> None:
    """However often it is repeated; a turn that runs is answered as it is."""
    async with FakeEndpoint(Behaviour(deltas=1000, gap_ms=1000)) as endpoint:
        variables = {"ANTIPHON_SHARES": json.dumps({"turns": 1})}
        models = [openai_model("fake/ok", endpoint.base_url, idle_timeout_s=60)]
        async with ServerProcess(tmp_path, models=models, variables=variables) as server:
            boss = await operator(server)
            async with channel_to(server) as channel:
                calls = Calls(channel, boss, boss.known["conv"])
                running = posting(turn_id=new_turn_id(), handler="assistant")
                first = await until_taken(calls, running)
                before = await ids(calls)
                for _ in range(3):
                    beyond = calls(calls.dispatcher.Dispatch, posting(handler="assistant"))
                    assert await refused(beyond) == "LIMIT_EXCEEDED"
                again = await calls(calls.dispatcher.Dispatch, running)
                assert again.turn.conversation_id == first.turn.conversation_id
                assert await ids(calls) == before


async def test_a_stream_makes_conversations_too(as_anna: Calls, as_boss: Calls) -> None:
    """Converse's post takes the same; what is refused is answered, and the stream goes on."""
    stream: Any = as_boss.dispatcher.Converse(metadata=as_boss.caller.metadata)
    foreign = posting(conversation_id=as_anna.conversation_id)
    nowhere = pb.DispatchRequest(handler="echo", parts=[Part(text="Hello")])
    for tag, post, reason in (("1", foreign, "NOT_FOUND"), ("2", nowhere, "INVALID_ARGUMENT")):
        await stream.write(pb.ConverseRequest(tag=tag, post=post))
        answer = await asyncio.wait_for(stream.read(), PATIENCE_S)
        assert (answer.error.tag, reason_in(answer.error.error)) == (tag, reason)
    request = pb.ConverseRequest(tag="3", post=posting(turn_id=new_turn_id(), title="Streamed"))
    turns = []
    for _ in range(2):
        await stream.write(request)
        answer = await asyncio.wait_for(stream.read(), PATIENCE_S)
        turns.append((answer.accepted.turn.turn_id, answer.accepted.turn.conversation_id))
    assert turns[0] == turns[1]
    assert turns[0][1] in await ids(as_boss)
    stream.cancel()


async def test_a_client_of_python_does_it_in_one_call(client: Client) -> None:
    """And follows the answer from the cursor that it gets."""
    answer = await client.dispatch(
        "", "Hello", new_conversation=pb.NewConversation(title="One call"), handler="echo"
    )
    where = answer.turn.conversation_id
    async with client.converse(where, cursor=answer.cursor) as talk:
        turn = talk.join(answer.turn.turn_id)
        assert (await asyncio.wait_for(turn.result(), PATIENCE_S)).text == "Hello"
    found = await client.get_conversation(where)
    assert found.title == "One call"


async def test_a_turn_makes_its_conversation_the_last_active(client: Client) -> None:
    """About a second later, on the list that is in that order."""
    older = await client.create_conversation("older")
    await client.create_conversation("newer")

    async def is_first(title: str) -> bool:
        listed = client.list_conversations(order=CONVERSATION_ORDER_LAST_ACTIVITY)
        return (await anext(listed)).title == title

    assert await is_first("newer")
    await client.dispatch(older.conversation_id, "Hello", handler="echo")
    await until_it(lambda: is_first("older"))
    found = await client.get_conversation(older.conversation_id)
    assert found.last_activity_time.ToMicroseconds() > found.create_time.ToMicroseconds()
