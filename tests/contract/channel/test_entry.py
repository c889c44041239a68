"""Who may call, on both kinds of channel."""

from typing import Any

import grpc

from antiphon.events.v1 import event_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon_server.runtime.access.principal import ANONYMOUS, current_principal
from tests.contract.channel.world import SCOPE, Events, failure, head

AUTHORIZED = (("authorization", "Bearer user"),)


async def test_no_token_no_entry(guarded: Any, events: Events) -> None:
    """Without a token, with a wrong one or another scheme a call is refused before its handler."""
    for metadata in (None, (("authorization", "Bearer no"),), (("authorization", "Basic user"),)):
        error = await failure(guarded.GetHead(head(), metadata=metadata))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    call = guarded.Subscribe()
    assert (await failure(call.read())).code() is grpc.StatusCode.UNAUTHENTICATED
    assert not events.begun.is_set()


async def test_the_principal_is_the_tokens_and_only_for_the_call(guarded: Any) -> None:
    """The handler knows who calls; the caller's own task is not changed by it."""
    response = await guarded.GetHead(head(), metadata=AUTHORIZED)
    assert response.earliest_cursor == "user_1"
    assert current_principal() is ANONYMOUS


async def test_the_contract_says_who_may(guarded: Any) -> None:
    """Roles are asked for the named resource; internal methods are for services."""
    foreign = pb.GetHeadRequest(scope="conversations/conv_00000002")
    error = await failure(guarded.GetHead(foreign, metadata=AUTHORIZED))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    typing = pb.PublishEphemeralRequest(scope=SCOPE, typing=event_pb2.TypingChanged())
    error = await failure(guarded.PublishEphemeral(typing, metadata=AUTHORIZED))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    append = pb.AppendRequest(scope=SCOPE, events=[event_pb2.Event()])
    error = await failure(guarded.Append(append, metadata=AUTHORIZED))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    response = await guarded.Append(append, metadata=(("authorization", "Bearer service"),))
    assert response.cursor == "services/dispatcher"
