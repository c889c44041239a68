"""A model is asked what its turn asks, whatever else was said since."""

import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest

from antiphon.context.v1 import message_pb2
from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
    add_ContextServiceServicer_to_server,
)
from antiphon_server.agents.adapters.services import ContextWindow
from antiphon_server.context import compose, encoding
from antiphon_server.context.model.messages import MessageId, MessageRole, NewMessage
from antiphon_server.context.model.resources import ConversationId as Conversation
from antiphon_server.dispatcher.model import ConversationId, Order, Policy, Turn, TurnId
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.context.world import Accounts
from tests.fakes.memory.context.log import MemoryEventLog
from tests.fakes.memory.context.roles import MemoryRoles
from tests.fakes.memory.context.store import MemoryStore

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

CONVERSATION = "conv_00000001"
BUDGET = 3_000
LONG = "x" * 4 * BUDGET

Say = Callable[[str, int, MessageRole], None]


def turn(number: int) -> Turn:
    """Turn ``number`` of the conversation."""
    return Turn(
        TurnId(f"turn_{number:08}"),
        ConversationId(CONVERSATION),
        "users/user_anna",
        1,
        b"",
        Order(b"", "echo", Policy.QUEUE),
    )


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog(time.time)


@pytest.fixture
async def window(log: MemoryEventLog) -> AsyncIterator[ContextWindow]:
    """The window of a real context service."""
    context = compose.compose(MemoryStore(), log, time.time, Accounts(), MemoryRoles())
    anna = called_by(context, Principal("user", UserId("user_anna0000"), SessionId("sess_1")))
    await anna.CreateConversation(CreateConversationRequest(conversation_id=CONVERSATION))
    yield ContextWindow(
        called_by(context, Principal("service", UserId("dispatcher"), SessionId("")))
    )
    await context.changes.close()


def called_by(context: compose.Context, principal: Principal) -> "ContextServiceAsyncStub":
    """The service as that caller has it."""
    server = LocalServer([ErrorInterceptor(), CallerInterceptor(principal)])
    add_ContextServiceServicer_to_server(context.servicer, server)
    return ContextServiceStub(server.channel())


@pytest.fixture
def say(log: MemoryEventLog) -> Say:
    """Says something in a turn."""
    numbers = itertools.count(1)

    def one(text: str, number: int, role: MessageRole = MessageRole.USER) -> None:
        content = encoding.content_of(message_pb2.Message(parts=[message_pb2.Part(text=text)]))
        ours = turn(number).message_id if role is MessageRole.USER else f"msg_{next(numbers)}"
        new = NewMessage(MessageId(ours), Conversation(CONVERSATION), "users/user_anna", content)
        log.say(new, role, turn(number).turn_id)

    return one


async def test_a_turn_that_waited_for_a_long_answer_is_asked_itself(
    window: ContextWindow, say: Say
) -> None:
    """The answer does not push it out, and it comes last however early it was said."""
    say("first", 1, MessageRole.USER)
    say("second", 2, MessageRole.USER)
    say("short", 1, MessageRole.ASSISTANT)
    assert await asked(window, 2) == ["first", "short", "second"]
    say(LONG, 1, MessageRole.ASSISTANT)
    assert await asked(window, 2) == ["second"]
    prompt = await window.prompt(turn(2), BUDGET, set())
    assert prompt.omitted == 3


async def test_a_turn_beside_a_long_question_is_asked_itself(
    window: ContextWindow, say: Say
) -> None:
    """What is left out of its prompt does not push it out either."""
    say("first", 1, MessageRole.USER)
    say(LONG, 2, MessageRole.USER)
    assert await asked(window, 1, 2) == ["first"]


async def test_a_turn_without_its_message_is_not_asked(
    window: ContextWindow, say: Say, log: MemoryEventLog
) -> None:
    """A prompt that ends with something else would be paid for."""
    say("first", 1, MessageRole.USER)
    say("second", 2, MessageRole.USER)
    log.roll_back(Conversation(CONVERSATION), turn(2).turn_id)
    with pytest.raises(DomainError) as caught:
        await asked(window, 2)
    assert caught.value.reason is Reason.NOT_FOUND


async def asked(window: ContextWindow, number: int, *without: int) -> list[str]:
    """What a model is asked in turn ``number`` while the turns ``without`` run."""
    others = {turn(other).turn_id for other in without}
    prompt = await window.prompt(turn(number), BUDGET, others)
    return [message.parts[0].text for message in prompt.messages]
