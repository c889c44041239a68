"""Too much, too little, or nothing that can be read: refused, and nothing is written."""

import secrets
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from antiphon.context.v1 import context_service_pb2 as context_pb
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb
from tests.e2e.calls import Calls
from tests.e2e.refusals import DETAILS, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
MIB = 1 << 20


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([""] * 33, "INVALID_ARGUMENT"),
        (["x" * (256 * 1024 + 1)], "INVALID_ARGUMENT"),
        ([], "INVALID_ARGUMENT"),
        (["x" * 250_000] * 5, "INVALID_ARGUMENT"),
        (["x" * MIB] * 5, "LIMIT_EXCEEDED"),
    ],
)
async def test_too_much_or_too_little_is_refused(call: Calls, texts: list[str], why: str) -> None:
    """More parts, longer ones, more in all, nothing, more than 4 MiB: the log stays as it is."""
    before = (await call.head()).last_offset
    for method, request in (
        (call.context.PostMessage, call.post(*texts)),
        (call.dispatcher.Dispatch, call.dispatch(*texts)),
    ):
        assert await refused(call(method, request)) == why
    assert (await call.head()).last_offset == before


async def test_the_largest_message_is_taken(call: Calls) -> None:
    """At the boundary there is no refusal, and it comes back whole."""
    whole = ["x" * (256 * 1024)] * 3 + ["y" * (255 * 1024)]
    await call(call.context.PostMessage, call.post(*whole))
    listed = await call(
        call.context.ListMessages,
        context_pb.ListMessagesRequest(conversation_id=call.conversation_id, page_size=1),
    )
    assert [part.text for part in listed.messages[0].parts] == whole


async def test_an_enormous_request_is_refused_by_the_transport(call: Calls) -> None:
    """What is larger than a buffer may be is not taken in at all."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(call.context.PostMessage, call.post(*["x" * MIB] * 20))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await call.head()).last_offset > 0


async def test_bytes_that_are_no_message_are_refused(call: Calls) -> None:
    """What can't be decoded is INVALID_ARGUMENT."""
    method: Any = call.channel.unary_unary("/antiphon.context.v1.ContextService/PostMessage")
    for garbage in (b"\xff\xff\xff", b"\x0a\xffx", secrets.token_bytes(64)):
        assert await refused(call(method, garbage)) == "INVALID_ARGUMENT"


async def test_an_unknown_method_is_unimplemented(call: Calls) -> None:
    """So are unknown services."""
    for path in ("/antiphon.context.v1.ContextService/Nothing", "/no.such.Service/Method"):
        assert await refused(call(call.channel.unary_unary(path), b"")) == "UNIMPLEMENTED"


async def test_a_refusal_names_every_field_that_breaks_a_rule(call: Calls) -> None:
    """BadRequest lists the fields, beside the one ErrorInfo."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(
            call.dispatcher.Dispatch,
            dispatcher_pb.DispatchRequest(conversation_id="x", handler="y" * 65),
        )
    metadata = caught.value.trailing_metadata() or {}
    details = metadata[DETAILS]
    assert isinstance(details, bytes)
    status = status_pb2.Status.FromString(details)
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert {it.field for it in bad.field_violations} == {"conversation_id", "handler", "parts"}
