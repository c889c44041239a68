"""What is asked on a stream, and refused there."""

import asyncio

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from antiphon.dispatcher.v1.dispatcher_service_pb2 import Accepted, ConverseError, ConverseRequest
from antiphon_client.asks import Asks
from antiphon_client.errors import Unavailable


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
            tag = (await asyncio.wait_for(it.outbox.get(), 5)).tag
            it.refused(refusal(tag, "SERVICE_UNAVAILABLE"))
        assert (await asyncio.wait_for(it.outbox.get(), 5)).tag == tag
        if answered:
            it.accepted(Accepted(tag=tag))
            assert (await asking).tag == tag
        else:
            it.refused(refusal(tag, "SERVICE_UNAVAILABLE"))
            with pytest.raises(Unavailable):
                await asking
