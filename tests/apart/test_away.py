"""While a service is away the others serve on, as far as they can do without it."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.context.v1.context_service_pb2 import ListConversationsRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.events.v1.event_service_pb2 import GetHeadRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_client import Client
from antiphon_client.errors import Unavailable
from antiphon_client.turn import TurnStatus
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.apart.installation import Installation, installation, new_secret


async def refusal(call: grpc.aio.UnaryUnaryCall[Any, Any]) -> DomainError:
    """What a call was refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return domain_error_of(caught.value)


def listed(client: Client, token: str) -> grpc.aio.UnaryUnaryCall[Any, Any]:
    """Conversations, listed with that token."""
    metadata = (("authorization", f"Bearer {token}"),)
    context = ContextServiceStub(client.channel)
    return context.ListConversations(ListConversationsRequest(), metadata=metadata)


async def test_tokens_are_verified_without_the_auth_service(tmp_path: Path) -> None:
    """Who is signed in goes on; health names who is away; signing in works when it is back."""
    async with installation(tmp_path) as apart, apart.client() as client:
        conversation = await client.create_conversation(title="before")
        await client.tokens.get()
        await apart.stop("auth")
        await apart.until_health("context", "peer.auth", serves=False)
        assert await apart.health("context")
        async with client.converse(conversation.conversation_id) as live:
            turn = await live.post("still here?")
            assert (await turn.result()).text == "still here?"
        unknown = f"{await client.tokens.get()}x"
        assert (await refusal(listed(client, unknown))).reason is Reason.TOKEN_INVALID
        await apart.start("auth")
        await apart.until_health("context", "peer.auth", serves=True)
        async with apart.client() as again:
            await again.create_conversation(title="after")


async def test_nobody_is_let_in_who_can_t_be_judged(tmp_path: Path) -> None:
    """Before the auth service was there once, and without roles, calls are refused as such."""
    async with Installation(tmp_path) as apart:
        await apart.start("auth", "events")
        await apart.until_health("events", "tokens", serves=True)
        async with apart.client() as client:
            token = await client.tokens.get()
            metadata = (("authorization", f"Bearer {token}"),)
            head = GetHeadRequest(scope="conversations/conv_0000000000")
            error = await refusal(EventServiceStub(client.channel).GetHead(head, metadata=metadata))
            assert error.reason is Reason.SERVICE_UNAVAILABLE
            assert error.metadata == {"service": "context"}
            await apart.stop("auth")
            await apart.start("context")
            error = await refusal(listed(client, token))
            assert (error.reason, error.metadata) == (
                Reason.SERVICE_UNAVAILABLE,
                {"service": "auth"},
            )


async def test_a_turn_waits_while_its_model_is_away(tmp_path: Path) -> None:
    """It says for whom, goes on when that is back, and others read and post meanwhile."""
    async with installation(tmp_path) as apart, apart.client() as client:
        conversation = await client.create_conversation(title="no models")
        await apart.stop("integration")
        async with client.converse(conversation.conversation_id) as live:
            turn = await live.post("anybody there?")
            async for update in turn.updates():
                if isinstance(update, TurnStatus) and "waiting for" in update.sentence:
                    assert update.sentence == "waiting for the service integration"
                    break
            note = await client.post_message(conversation.conversation_id, "a note")
            await apart.start("integration")
            assert (await turn.result()).text == "anybody there?"
        await apart.stop("dispatcher")
        stored = [one async for one in client.list_messages(conversation.conversation_id)]
        assert note.message_id in {one.message_id for one in stored}
        assert len(stored) == 3


async def test_what_goes_on_without_the_log_and_without_turns(tmp_path: Path) -> None:
    """As the guide says: conversations are made, messages wait for the log, not for turns."""
    async with installation(tmp_path) as apart, apart.client() as client:
        before = (await client.create_conversation(title="before")).conversation_id
        await client.post_message(before, "said")
        await apart.stop("events")
        made = (await client.create_conversation(title="meanwhile")).conversation_id
        found = {one.conversation_id async for one in client.list_conversations()}
        assert found == {before, made}
        with pytest.raises(Unavailable) as caught:
            await client.post_message(before, "unheard")
        assert caught.value.reason == Reason.SERVICE_UNAVAILABLE.value
        await apart.start("events")
        metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
        head = GetHeadRequest(scope=f"conversations/{made}")
        async with asyncio.timeout(60):  # the log is told by and by
            while not await _last_offset(client, head, metadata):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await apart.stop("dispatcher")
        await client.post_message(before, "heard")
        assert await _last_offset(client, GetHeadRequest(scope=f"conversations/{before}"), metadata)


async def _last_offset(client: Client, head: GetHeadRequest, metadata: Any) -> int:
    """Where a log ends; 0 while that can't be told."""
    try:
        answer = await EventServiceStub(client.channel).GetHead(head, metadata=metadata)
    except grpc.aio.AioRpcError:
        return 0
    return answer.last_offset


async def test_another_installation_is_nobody_here(tmp_path: Path) -> None:
    """A service with another secret gets no token, and is refused by all."""
    async with Installation(tmp_path) as apart:
        await apart.start("auth")
        await apart.start("context", secret_key=new_secret())
        async with apart.client() as client:
            token = await client.tokens.get()
            assert (await refusal(listed(client, token))).reason is Reason.SERVICE_UNAVAILABLE
