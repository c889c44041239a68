"""Every RPC of every contract, called by everybody: the set is generated from the descriptors."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import access_pb2
from tests.e2e.callers import Caller, user
from tests.e2e.contracts import UNKNOWN_IDS, Rpc, every_rpc
from tests.e2e.refusals import reason_in, reason_of
from tests.e2e.server import ServerProcess
from tests.e2e.smallest import smallest

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Logout ends the session that the others go on with; it has a test of its own. What takes
# things out of use comes last.
RPCS = sorted(
    (rpc for rpc in every_rpc() if rpc.method.name != "Logout"),
    key=lambda rpc: rpc.method.name.startswith("Archive"),
)
EACH = pytest.mark.parametrize("rpc", RPCS, ids=[rpc.path for rpc in RPCS])
ROLE_BOUND = (
    access_pb2.PERMISSION_READ,
    access_pb2.PERMISSION_READ_MEMBERS,
    access_pb2.PERMISSION_WRITE,
    access_pb2.PERMISSION_MANAGE,
)
NOTHING = {"Work": "HANDLER_NOT_ALLOWED", "OpenWork": "HANDLER_NOT_ALLOWED"}
"""What is said of what belongs to others or to nobody, where that is not NOT_FOUND."""


async def outcome(call: Awaitable[Any]) -> str:
    """OK, or the reason of a typed refusal, be it in the last frame of a stream."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    for name in ("ended", "error"):
        if name in answer.DESCRIPTOR.fields_by_name and answer.HasField(name):
            return reason_in(getattr(answer, name).error)
    return "OK"


@EACH
@pytest.mark.parametrize(
    ("token", "why"), [("", "UNAUTHENTICATED"), ("e30.e30." + "A" * 86, "TOKEN_INVALID")]
)
async def test_nobody_gets_in(rpc: Rpc, channel: grpc.aio.Channel, token: str, why: str) -> None:
    """Without a token, or with a forged one, whatever the request, unless the RPC is public."""
    came = await outcome(rpc.call(channel, rpc.request_type(), token))
    public = rpc.access.permission == access_pb2.PERMISSION_PUBLIC
    assert came in (("OK", "INVALID_ARGUMENT") if public else (why,))


@EACH
async def test_an_empty_request(
    rpc: Rpc, channel: grpc.aio.Channel, anna: Caller, boss: Caller
) -> None:
    """A user's, and the operator's, is answered, or refused by the contract's rules."""
    for caller in (anna, boss):
        came = await outcome(rpc.call(channel, rpc.request_type(), caller.token))
        assert came in ("OK", "INVALID_ARGUMENT", "PERMISSION_DENIED"), caller.name


@EACH
async def test_what_belongs_to_others_or_to_nobody_does_not_exist(
    rpc: Rpc, channel: grpc.aio.Channel, boss: Caller, anna: Caller
) -> None:
    """A valid request finds nothing and changes nothing; of what is unknown the operator's, too."""
    of_operators = (access_pb2.PERMISSION_OPERATE, access_pb2.PERMISSION_INTERNAL)
    for caller, ids in ((anna, boss.known), (boss, UNKNOWN_IDS)):
        request = smallest(rpc.request_type, ids, rpc.access.resource_field)
        came = await outcome(rpc.call(channel, request, caller.token))
        assert came != "INVALID_ARGUMENT", request
        closed = rpc.access.permission in of_operators
        if rpc.access.permission in ROLE_BOUND or (rpc.method.client_streaming and not closed):
            assert came == NOTHING.get(rpc.method.name, "NOT_FOUND"), caller.name
        if caller is anna and closed:
            assert came == "PERMISSION_DENIED"


@EACH
async def test_a_valid_request_is_served(rpc: Rpc, channel: grpc.aio.Channel, boss: Caller) -> None:
    """The smallest valid request about one's own things is answered or refused by a rule."""
    request = smallest(rpc.request_type, boss.known, rpc.access.resource_field)
    came = await outcome(rpc.call(channel, request, boss.token))
    internal = rpc.access.permission == access_pb2.PERMISSION_INTERNAL
    assert (came == "PERMISSION_DENIED") == internal
    assert came not in ("INVALID_ARGUMENT", "UNIMPLEMENTED", "UNAUTHENTICATED"), request


async def test_logout_ends_its_session(channel: grpc.aio.Channel, server: ServerProcess) -> None:
    """After Logout the token is refused."""
    (logout,) = (rpc for rpc in every_rpc() if rpc.method.name == "Logout")
    (who_am_i,) = (rpc for rpc in every_rpc() if rpc.method.name == "WhoAmI")
    ben = await user(server, "ben")
    assert await outcome(logout.call(channel, logout.request_type())) == "UNAUTHENTICATED"
    assert await outcome(logout.call(channel, logout.request_type(), ben.token)) == "OK"
    came = await outcome(who_am_i.call(channel, who_am_i.request_type(), ben.token))
    assert came == "SESSION_REVOKED"
