"""Detectors count what is said by whichever entrance; what was taken is answered as it was."""

import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from antiphon.context.v1.anomaly_pb2 import (
    FLAG_EFFECT_THROTTLE,
    Detector,
    Flag,
    RateDetector,
    RepetitionDetector,
)
from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.message_pb2 import Message, Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import NewConversation
from antiphon_client import AntiphonError, Client, new_turn_id
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until_it

pytestmark = pytest.mark.asyncio(loop_scope="module")
Say = Callable[[Client, str, str], Coroutine[Any, Any, object]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """Of the operator of a server."""
    async with ServerProcess(tmp_path_factory.mktemp("server")) as server, server.client() as one:
        yield one
        assert server.defects == []


@asynccontextmanager
async def watched(client: Client, detector: Detector) -> AsyncIterator[Conversation]:
    """A conversation in whose workspace a detector stands."""
    conversation = await client.create_conversation(title="watched")
    parent = conversation.workspace_id
    await client.set_detectors(parent, [detector])
    yield conversation
    await client.set_detectors(parent, [])
    for flag in await flags(client, parent):
        await client.clear_flag(parent, flag.flag_id, "the test is over")


async def flags(client: Client, parent: str) -> list[Flag]:
    """The open ones."""
    return [it async for it in client.list_flags(parent)]


async def flagged(client: Client, parent: str) -> Flag:
    """The flag that comes."""
    await until_it(lambda: flags(client, parent), SOON_S)
    [found] = await flags(client, parent)
    return found


async def converse(client: Client, where: str, text: str) -> None:
    """Say something on a stream."""
    async with client.converse(where) as live:
        await (await live.post(text, handler="echo")).result()


async def dispatch(client: Client, where: str, text: str) -> None:
    """Say something in a call that starts a turn."""
    await client.dispatch(where, text, handler="echo")


async def in_a_new_one(client: Client, where: str, text: str) -> None:
    """Say something that begins a conversation."""
    await client.dispatch("", text, new_conversation=NewConversation(), handler="echo")


async def post(client: Client, where: str, text: str, request_id: str = "") -> Message:
    """Say something beside turns, as a request that may be repeated."""
    stub = client._context  # the client's method makes an id of its own
    request = PostMessageRequest(
        conversation_id=where, parts=[Part(text=text)], request_id=request_id
    )
    return (await client._caller.call(stub.PostMessage, request)).message


async def test_each_entrance_counts_the_same(client: Client) -> None:
    """Two by each of three are six, and not five."""
    seen = Detector(name="floods", rate=RateDetector(most=6))
    seen.window.seconds = 86_400
    async with watched(client, seen) as it:
        for number in range(2):
            for say in (post, dispatch, converse):
                assert await flags(client, it.workspace_id) == []
                await say(client, it.conversation_id, f"message {number} by {say.__name__}")
        flag = await flagged(client, it.workspace_id)
        assert (flag.evidence["messages"], flag.count) == (6, 1)


@pytest.mark.parametrize("say", [post, dispatch, converse, in_a_new_one])
async def test_who_repeats_is_flagged_by_each_entrance(client: Client, say: Say) -> None:
    """Also if each message begins a conversation; the first may be missed by a server."""
    name = say.__name__.replace("_", "-")  # what was just cleared of another is forgiven for 1 s
    same = Detector(name=name, repetition=RepetitionDetector(most=4))
    async with watched(client, same) as it:
        for number in range(5):
            await say(client, it.conversation_id, f"Buy now at {number * 7}% less, my friends!")
        flag = await flagged(client, it.workspace_id)
        assert flag.kind == "repetition"


async def test_what_was_taken_before_is_answered_while_its_author_is_throttled(
    client: Client,
) -> None:
    """A post and a turn, repeated with their ids; anything else is refused, and says until when."""
    bites = Detector(name="floods", rate=RateDetector(most=3), effect=FLAG_EFFECT_THROTTLE)
    bites.throttle_per_minute = 1
    request_id, turn_id = str(uuid.uuid4()), new_turn_id()
    async with watched(client, bites) as it:
        where = it.conversation_id
        first = await post(client, where, "hello", request_id)
        turn = (await client.dispatch(where, "hello", turn_id=turn_id, handler="echo")).turn

        async def is_refused() -> bool:
            try:
                await post(client, where, "more")
            except AntiphonError as error:
                return error.reason == "THROTTLED"
            return False

        await until_it(is_refused)
        assert await post(client, where, "hello", request_id) == first
        again = await client.dispatch(where, "hello", turn_id=turn_id, handler="echo")
        assert again.turn.turn_id == turn.turn_id
        with pytest.raises(AntiphonError) as reused:
            await post(client, where, "something else", request_id)
        assert reused.value.reason == "THROTTLED"
        async with client.converse(where) as live:
            for refused in (post(client, where, "x"), live.post("x"), client.dispatch(where, "x")):
                with pytest.raises(AntiphonError, match="flagged") as error:
                    await refused
                assert error.value.reason == "THROTTLED"
                assert error.value.retry_after is not None
                assert 0 < error.value.retry_after <= 120
