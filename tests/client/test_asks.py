"""What is asked on a stream, and refused there."""

import asyncio

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    Accepted,
    CancelTurnRequest,
    ConverseError,
    ConverseRequest,
    DispatchRequest,
)
from antiphon_client.asks import Asks
from antiphon_client.errors import Unavailable
from tests.e2e.until import SOON_S


def refusal(tag: str, reason: str) -> ConverseError:
    info = Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="antiphon"))
    code: int = grpc.StatusCode.UNAVAILABLE.value[0]
    return ConverseError(tag=tag, error=status_pb2.Status(code=code, details=[info]))


async def test_it_is_asked_again_while_a_service_is_started_again() -> None:
    """A few times, then the refusal has the last word."""
    it = Asks(again_s=(0.0, 0.01))
    for answered in (True, False):
        asking = asyncio.ensure_future(it.ask(ConverseRequest()))
        for _ in range(2):
            tag = (await asyncio.wait_for(it.outbox.get(), SOON_S)).tag
            it.refused(refusal(tag, "SERVICE_UNAVAILABLE"))
        assert (await asyncio.wait_for(it.outbox.get(), SOON_S)).tag == tag
        if answered:
            it.accepted(Accepted(tag=tag))
            assert (await asking).tag == tag
        else:
            it.refused(refusal(tag, "SERVICE_UNAVAILABLE"))
            with pytest.raises(Unavailable):
                await asking


async def test_what_was_said_after_a_refused_post_waits_for_it() -> None:
    """One goes after the other, in the order in which they were said; to stop waits for none."""
    it = Asks(again_s=(1.0,))

    def say(turn_id: str) -> asyncio.Future[Accepted]:
        post = ConverseRequest(post=DispatchRequest(turn_id=turn_id))
        return asyncio.ensure_future(it.ask(post))

    async def sent() -> ConverseRequest:
        return await asyncio.wait_for(it.outbox.get(), SOON_S)

    asking = [say("first"), say("second")]
    for _ in range(2):
        it.refused(refusal((await sent()).tag, "SERVICE_UNAVAILABLE"))
    asking += [say("third")]
    stopping = asyncio.ensure_future(it.ask(ConverseRequest(cancel=CancelTurnRequest())))
    stop = await sent()
    assert stop.HasField("cancel")
    it.accepted(Accepted(tag=stop.tag))
    await stopping
    for turn_id in ("first", "second", "third"):
        request = await sent()
        assert request.post.turn_id == turn_id
        await asyncio.sleep(0.05)
        assert it.outbox.empty()
        it.accepted(Accepted(tag=request.tag))
    await asyncio.gather(*asking)


async def test_who_waits_behind_a_refused_post_is_told_with_it() -> None:
    """A service that stays away is waited for once, and not by each in turn."""
    it = Asks(again_s=(0.01, 0.01))
    posts = [ConverseRequest(post=DispatchRequest()) for _ in range(9)]
    asking = [asyncio.ensure_future(it.ask(post)) for post in posts]
    await asyncio.sleep(0)
    while not all(each.done() for each in asking):
        tag = (await asyncio.wait_for(it.outbox.get(), SOON_S)).tag
        it.refused(refusal(tag, "SERVICE_UNAVAILABLE"))
        await asyncio.sleep(0)
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in told)


async def test_a_post_that_another_server_did_not_take_goes_again_on_the_same_stream() -> None:
    """It is that server which stops: this stream may last, so there is nothing else to wait for."""
    it = Asks(again_s=(0.01,))
    asking = asyncio.ensure_future(it.ask(ConverseRequest(post=DispatchRequest())))
    for _ in range(4):
        it.refused(refusal((await asyncio.wait_for(it.outbox.get(), SOON_S)).tag, "DRAINING"))
    it.accepted(Accepted(tag=(await asyncio.wait_for(it.outbox.get(), SOON_S)).tag))
    await asking
