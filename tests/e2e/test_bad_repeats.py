"""Ids that were used before, or are not known."""

import asyncio
import secrets
import uuid

import pytest

from antiphon.auth.v1.auth_service_pb2 import CreateUserRequest
from antiphon.context.v1 import context_service_pb2 as context_pb
from tests.e2e.callers import PASSWORD, Caller
from tests.e2e.calls import Calls
from tests.e2e.refusals import refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_turn_id_with_another_body_is_refused(call: Calls) -> None:
    """A turn's id is its idempotency key."""
    turn_id = f"turn_{secrets.token_hex(8)}"
    first = await call(call.dispatcher.Dispatch, call.dispatch("once", turn_id=turn_id))
    again = await call(call.dispatcher.Dispatch, call.dispatch("once", turn_id=turn_id))
    assert again.turn.message_id == first.turn.message_id
    other = call(call.dispatcher.Dispatch, call.dispatch("other", turn_id=turn_id))
    assert await refused(other) == "REQUEST_ID_REUSED"


async def test_the_same_post_often_at_once_is_one_message(call: Calls) -> None:
    """However often and however soon a post is repeated, it is there once."""
    request_id, before = str(uuid.uuid4()), (await call.head()).last_offset
    request = call.post("twenty times", request_id=request_id)
    answers = await asyncio.gather(*(call(call.context.PostMessage, request) for _ in range(20)))
    assert len({answer.message.message_id for answer in answers}) == 1
    assert (await call.head()).last_offset == before + 1


async def test_an_unknown_handler_is_refused(call: Calls) -> None:
    """A handler that nobody registered."""
    request = call.dispatch("hello", handler="nobody")
    assert await refused(call(call.dispatcher.Dispatch, request)) == "HANDLER_NOT_FOUND"


async def test_a_taken_name_is_refused(call: Calls, anna: Caller) -> None:
    """Two users can't have one name, whatever its case; two conversations not one id."""
    request = CreateUserRequest(name=anna.name.upper(), password=PASSWORD)
    assert await refused(call(call.auth.CreateUser, request)) == "ALREADY_EXISTS"
    taken = context_pb.CreateConversationRequest(conversation_id=f"conv_{anna.known['user']}")
    await call(call.context.CreateConversation, taken)
    assert await refused(call(call.context.CreateConversation, taken)) == "ALREADY_EXISTS"
