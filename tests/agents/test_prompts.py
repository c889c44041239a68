"""A model is asked what its turn asks, whatever else was said since."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from antiphon.context.v1 import message_pb2
from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon_server.agents.adapters.services import ContextWindow
from antiphon_server.dispatcher.model import ConversationId, Order, Policy, Turn, TurnId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN, SERVICE
from tests.context.world import World, world

CONVERSATION = "conv_00000001"
BUDGET = 3_000
LONG = "x" * 4 * BUDGET
USER, ASSISTANT = message_pb2.MESSAGE_ROLE_USER, message_pb2.MESSAGE_ROLE_ASSISTANT

Say = Callable[[str, int, "message_pb2.MessageRole.ValueType"], Awaitable[None]]


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
async def here() -> AsyncIterator[World]:
    """A real context service."""
    async with world() as made:
        request = CreateConversationRequest(conversation_id=CONVERSATION)
        await made.client(ANN).CreateConversation(request)
        yield made


@pytest.fixture
def window(here: World) -> ContextWindow:
    """Its window, as the dispatcher has it."""
    return ContextWindow(here.client(SERVICE))


@pytest.fixture
def say(here: World) -> Say:
    """Says something in a turn."""

    async def one(text: str, number: int, role: "message_pb2.MessageRole.ValueType" = USER) -> None:
        asked = turn(number).message_id if role == USER else ""
        await here.say(CONVERSATION, text, turn(number).turn_id, role, asked)

    return one


async def test_a_turn_that_waited_for_a_long_answer_is_asked_itself(
    window: ContextWindow, say: Say
) -> None:
    """The answer does not push it out, and it comes last however early it was said."""
    await say("first", 1, USER)
    await say("second", 2, USER)
    await say("short", 1, ASSISTANT)
    assert await asked(window, 2) == ["first", "short", "second"]
    await say(LONG, 1, ASSISTANT)
    assert await asked(window, 2) == ["second"]
    prompt = await window.prompt(turn(2), BUDGET, set())
    assert prompt.omitted == 3


async def test_a_turn_beside_a_long_question_is_asked_itself(
    window: ContextWindow, say: Say
) -> None:
    """What is left out of its prompt does not push it out either."""
    await say("first", 1, USER)
    await say(LONG, 2, USER)
    assert await asked(window, 1, 2) == ["first"]


async def test_a_turn_without_its_message_is_not_asked(
    window: ContextWindow, say: Say, here: World
) -> None:
    """A prompt that ends with something else would be paid for."""
    await say("first", 1, USER)
    await say("second", 2, USER)
    await here.roll_back(CONVERSATION, turn(2).turn_id)
    with pytest.raises(DomainError) as caught:
        await asked(window, 2)
    assert caught.value.reason is Reason.NOT_FOUND


async def asked(window: ContextWindow, number: int, *without: int) -> list[str]:
    """What a model is asked in turn ``number`` while the turns ``without`` run."""
    others = {turn(other).turn_id for other in without}
    prompt = await window.prompt(turn(number), BUDGET, others)
    return [message.parts[0].text for message in prompt.messages]
