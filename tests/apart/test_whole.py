"""Services apart are one installation: what works in one process works across several."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from antiphon.auth.v1.access_pb2 import SCOPE_WRITE
from antiphon.auth.v1.audit_pb2 import AccessRefused, SecurityEvent, SecurityEventKind
from antiphon.auth.v1.audit_service_pb2 import ListSecurityEventsRequest, SecurityEventFilter
from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.verification_service_pb2 import FollowSessionsRequest
from antiphon.auth.v1.verification_service_pb2_grpc import VerificationServiceStub
from antiphon.context.v1.context_service_pb2 import CheckAccessRequest, ListConversationsRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.event_pb2 import Event, TypingChanged
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_client import ApiKey, Client, Password
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.apart.installation import Installation

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

Metadata = tuple[tuple[str, str], ...]
pytestmark = pytest.mark.asyncio(loop_scope="module")
FOLLOWING = "/antiphon.events.v1.EventService/Subscribe"
PASSWORD = "correct horse battery"


async def test_a_turn_goes_through_all_of_them(apart: Installation) -> None:
    """A message posted at the dispatcher is answered by a model, and all of it is in the log."""
    async with apart.client() as client:
        conversation = await client.create_conversation(title="apart")
        async with client.converse(conversation.conversation_id) as live:
            answer = await (await live.post("hello there")).result()
        assert answer.text == "hello there"
        stored = [one async for one in client.list_messages(conversation.conversation_id)]
    assert ["".join(part.text for part in one.parts) for one in stored] == ["hello there"] * 2


async def test_only_services_may_do_what_is_theirs(apart: Installation) -> None:
    """An operator's token is refused by every call that services keep to themselves."""
    async with apart.client() as client:
        metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
        feed = VerificationServiceStub(client.channel).FollowSessions(
            FollowSessionsRequest(), metadata=metadata
        )
        calls: list[Awaitable[Any]] = [
            feed.read(),
            ContextServiceStub(client.channel).CheckAccess(
                CheckAccessRequest(user_id="user_0000000000", resource="ws_0000000000"),
                metadata=metadata,
            ),
            EventServiceStub(client.channel).Append(
                AppendRequest(
                    scope="global",
                    events=[Event(typing_changed=TypingChanged())],
                    request_id="one",
                ),
                metadata=metadata,
            ),
        ]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert domain_error_of(caught.value).reason is Reason.PERMISSION_DENIED


async def test_what_one_refuses_stands_in_the_trail(apart: Installation) -> None:
    """A refusal at the context service is a security event of the auth service."""
    async with apart.client() as boss:
        await boss.create_user("eve", PASSWORD)
        hidden = await boss.create_conversation(title="hidden")
        async with apart.client(Password("eve", PASSWORD)) as eve:
            with pytest.raises(Exception, match="not found"):
                await eve.get_conversation(hidden.conversation_id)
        await _refusal(boss, lambda one: one.resource == hidden.conversation_id)


async def test_what_is_refused_on_somebodys_behalf_has_its_callers_address(
    apart: Installation,
) -> None:
    """Converse follows for its caller at another service, and says where that one is."""
    async with apart.client() as boss:
        key = (await boss.new_api_key("writes", scopes=[SCOPE_WRITE])).secret
        async with apart.client(ApiKey(key)) as writer:
            token = await writer.tokens.get()
            stream: Any = DispatcherServiceStub(writer.channel).Converse(
                metadata=(("authorization", f"Bearer {token}"), ("x-forwarded-for", "203.0.113.9"))
            )
            watch = Watch(watch_id="w", scope="conversations/conv_0000000000")
            await stream.write(ConverseRequest(subscribe=watch))
            with pytest.raises(grpc.aio.AioRpcError):
                await asyncio.wait_for(stream.read(), 30)
        refused = await _refusal(boss, lambda one: one.rpc == FOLLOWING)
    assert refused.address == "203.0.113.9"


async def _refusal(boss: Client, such: Callable[[AccessRefused], bool]) -> SecurityEvent:
    """What the trail has of such a refused access, as soon as it has."""
    kinds = [SecurityEventKind.SECURITY_EVENT_KIND_ACCESS_REFUSED]
    request = ListSecurityEventsRequest(filter=SecurityEventFilter(kinds=kinds))
    metadata = (("authorization", f"Bearer {await boss.tokens.get()}"),)
    async with asyncio.timeout(30):
        while True:
            found = await AuditServiceStub(boss.channel).ListSecurityEvents(
                request, metadata=metadata
            )
            for one in found.events:
                if such(one.access_refused):
                    return one
            await asyncio.sleep(0.05)


async def test_an_end_of_a_session_is_known_everywhere(apart: Installation) -> None:
    """Signed out at the auth service, a token is refused by the others within a second."""
    async with apart.client() as boss:
        await boss.create_user("bob", PASSWORD)
    async with apart.client(Password("bob", PASSWORD)) as bob:
        metadata = (("authorization", f"Bearer {await bob.tokens.get()}"),)
        context = ContextServiceStub(bob.channel)
        await context.ListConversations(ListConversationsRequest(), metadata=metadata)
        stream: Any = EventServiceStub(bob.channel).Subscribe(metadata=metadata)
        await stream.wait_for_connection()
        await bob.tokens.logout()
        began = asyncio.get_running_loop().time()
        frame = await asyncio.wait_for(stream.read(), 30)
        assert frame.ended.error.message, frame
        assert await _refused(context, metadata) is Reason.SESSION_REVOKED
        assert asyncio.get_running_loop().time() - began < 10  # a second on a quiet machine


async def _refused(context: "ContextServiceAsyncStub", metadata: Metadata) -> Reason:
    """Why its calls are refused, as soon as they are."""
    async with asyncio.timeout(30):
        while True:
            try:
                await context.ListConversations(ListConversationsRequest(), metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return domain_error_of(error).reason
            await asyncio.sleep(0.02)
