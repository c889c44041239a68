import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2

from antiphon.events.v1 import event_pb2
from antiphon_client import (
    AntiphonError,
    ApiKey,
    Client,
    GapError,
    LiveConversation,
    TurnResult,
    TurnStatus,
    Unavailable,
    new_turn_id,
)
from tests.client.fake_server import CONVERSATION, FakeServer, error_status, fake_server
from tests.e2e.until import until
from tests.fakes.proxy import Proxy

LONG = [f"word{n} " for n in range(60)]


@asynccontextmanager
async def talking(**knobs: Any) -> AsyncIterator[tuple[FakeServer, LiveConversation]]:
    """A fake server, and somebody who converses there."""
    async with (
        fake_server(**knobs) as server,
        server.client() as client,
        client.converse(CONVERSATION) as talk,
    ):
        yield server, talk


async def test_an_answer_comes_in_pieces_and_ends_with_a_result() -> None:
    """The pieces, put together, are the result's text."""
    async with talking() as (_, talk):
        turn = await talk.post("Hi")
        pieces = [piece async for piece in turn]
        result = await turn.result()
        assert "".join(pieces) == result.text == "Hello wide wörld!"
        assert result.succeeded
        assert result.model == "fake/model"


async def test_updates_tell_the_status_as_well() -> None:
    """What the turn does comes in order with its text."""
    async with talking() as (_, talk):
        updates = [update async for update in (await talk.post("Hi")).updates()]
        assert updates[0] == TurnStatus(event_pb2.TURN_STATE_RUNNING, "echo began")
        assert updates[1] == "Hello"


async def test_a_refused_post_raises_and_the_conversation_goes_on() -> None:
    """One message that fails does not end the conversation."""
    async with talking() as (server, talk):
        server.post_error = error_status(code_pb2.NOT_FOUND, "HANDLER_NOT_FOUND", handler="x")
        with pytest.raises(AntiphonError) as caught:
            await talk.post("Hi", handler="x")
        assert caught.value.reason == "HANDLER_NOT_FOUND"
        server.post_error = None
        assert (await (await talk.post("Hi")).result()).succeeded


async def test_a_post_with_a_token_that_has_expired_is_made_with_another_one() -> None:
    """A machine that has slept has an old token; nobody who types is told of that."""
    async with talking() as (server, talk):
        server.post_error = error_status(code_pb2.UNAUTHENTICATED, "TOKEN_EXPIRED")
        posting = asyncio.create_task(talk.post("Hi"))
        await until(lambda: server.refreshes > 0)
        server.post_error = None
        assert (await (await posting).result()).succeeded


async def ask(talk: LiveConversation) -> str:
    turn = await talk.post("Hi")
    pieces = [piece async for piece in turn]
    assert "".join(pieces) == (await turn.result()).text
    return "".join(pieces)


@pytest.mark.parametrize("seed", range(2))
async def test_cuts_change_nothing_in_an_answer(seed: int) -> None:
    """Over many cuts each post is taken once and each answer arrives whole, once."""
    async with (
        fake_server(answer=LONG, gap_s=0.005) as server,
        Proxy(server.port) as proxy,
        Client.connect(proxy.address, ApiKey("key")) as client,
        client.converse(CONVERSATION) as talk,
    ):
        async with proxy.cutting(random.Random(seed), 6000, (0.02, 0.2)):
            answers = await asyncio.gather(*(ask(talk) for _ in range(5)))
        assert answers == ["".join(LONG)] * 5
        assert len(server.posts) == len(set(server.posts)) == 5


async def test_an_answer_folded_while_away_replaces_its_partial_text() -> None:
    """Who comes back after the end of an answer gets the rest from the whole message."""
    async with (
        fake_server(answer=LONG, gap_s=0.005) as server,
        Proxy(server.port) as proxy,
        Client.connect(proxy.address, ApiKey("key")) as client,
        client.converse(CONVERSATION) as talk,
    ):
        turn = await talk.post("Hi")
        seen = ""
        async for piece in turn:
            seen += piece
            if len(seen) > 50:
                break
        proxy.refuse()
        proxy.cut()
        await until(lambda: server.log.events[-1].HasField("turn_finished"))
        server.log.fold(turn.turn_id)
        proxy.flow()
        result = await turn.result()
        assert result.text == "".join(LONG)
        assert "".join([piece async for piece in turn]) == result.text


async def test_a_server_that_restarts_is_found_again() -> None:
    """A new process on the same port, with the same log, goes on with the answer."""
    async with fake_server(answer=LONG, gap_s=0.01) as first:
        state = first
        client = first.client()
        talk = await client.converse(CONVERSATION).__aenter__()
        turn = await talk.post("Hi")
        async for piece in turn:
            assert piece
            break
    await asyncio.sleep(0.3)
    async with fake_server(log=state.log, port=state.port, valid=state.valid):
        assert (await turn.result()).text == "".join(LONG)
        await talk.__aexit__(None, None, None)
        await client.close()


async def test_stopping_can_be_asked_for_before_the_post_is_answered() -> None:
    """A turn id chosen by the caller is all that a stop needs."""
    async with talking() as (_, talk):
        turn_id = new_turn_id()
        assert (await talk.cancel(turn_id)).turn_id == turn_id


async def test_a_gap_fails_every_turn() -> None:
    """Nobody is given a text with a hole."""
    async with talking(skip=4) as (_, talk):
        turn = await talk.post("Hi")
        with pytest.raises(GapError):
            await turn.result()
        with pytest.raises(GapError):
            await talk.post("again")


async def test_closing_fails_what_is_open() -> None:
    """A turn whose conversation is closed does not wait for ever."""
    async with fake_server(gap_s=5) as server, server.client() as client:
        async with client.converse(CONVERSATION) as talk:
            turn = await talk.post("Hi")
        with pytest.raises(Unavailable):
            await turn.result()


async def test_on_event_is_told_everything() -> None:
    """An observer sees each event of the conversation once."""
    kinds: list[str | None] = []

    async with fake_server() as server, server.client() as client:
        observer = client.converse(
            CONVERSATION, on_event=lambda event: kinds.append(event.WhichOneof("payload"))
        )
        async with observer as talk:
            await (await talk.post("Hi")).result()
    assert kinds[:2] == ["turn_accepted", "turn_started"]
    assert kinds[-1] == "turn_finished"


def test_a_result_is_printed_in_a_line() -> None:
    """Which turn, how it ended, and with what; the rest is in its fields."""
    long = TurnResult("turn_1", event_pb2.TURN_STATE_SUCCEEDED, "word " * 20, model="scripted/echo")
    assert repr(long).startswith("<TurnResult turn_1 succeeded: 'word word ")
    assert repr(long).endswith("…', scripted/echo, 0 tokens>")
    error = AntiphonError(grpc.StatusCode.UNAVAILABLE, "it is away")
    failed = TurnResult("turn_2", event_pb2.TURN_STATE_FAILED, "", error=error)
    assert str(failed) == "<TurnResult turn_2 failed: '', 'it is away'>"
