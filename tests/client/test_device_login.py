"""A device that waits to be let in waits no longer than its code lives."""

import time

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client import AntiphonError
from antiphon_client.signing_in import _collect


@pytest.mark.timeout(30)
async def test_a_server_that_went_away_is_asked_until_the_code_expires() -> None:
    """Then the device is told that the server is away."""
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        end = time.time() + 0.1
        with pytest.raises(AntiphonError) as caught:
            await _collect(AuthServiceStub(channel), messages.LoginRequest(), 0.01, end)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert time.time() >= end
