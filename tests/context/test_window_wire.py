"""Windows put together from bytes are those that the stubs would have made."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from antiphon.context.v1 import context_service_pb2, message_pb2
from antiphon_server.context import encoding, window_wire
from antiphon_server.context.model.messages import (
    Content,
    Message,
    MessageId,
    MessageRole,
    Offset,
    Totals,
    Window,
)
from antiphon_server.context.model.resources import ConversationId

CONVERSATION = ConversationId("conv_00000001")


def said(offset: int, text: str) -> Message:
    """A message at that place."""
    part = message_pb2.Part(text=text)
    encoded = message_pb2.Message(parts=[part]).SerializeToString()
    return Message(
        MessageId(f"msg_{offset}"),
        CONVERSATION,
        Offset(offset),
        MessageRole.USER,
        "users/user_anna",
        "turn_00000001",
        False,
        1_700_000_000_000_000 + offset,
        Content(encoded, len(text.encode())),
    )


@given(
    st.lists(st.text(max_size=300), max_size=5),
    st.text(max_size=50),
    st.integers(min_value=0, max_value=1 << 40),
    st.booleans(),
)
def test_a_window_is_the_response_with_its_fields(
    texts: list[str], instructions: str, tokens: int, remembered: bool
) -> None:
    """With messages serialised before or not, it reads back as it was put in."""
    messages = tuple(said(offset, text) for offset, text in enumerate(texts, 1))
    if remembered:
        messages = tuple(replace(it, encoded=encoding.encoded_message(it)) for it in messages)
    window = Window(instructions, messages, tokens, Totals(3, tokens), 2)
    expected = context_service_pb2.GetContextResponse(
        instructions=instructions,
        messages=[encoding.message(one) for one in messages],
        estimated_tokens=min(tokens, (1 << 31) - 1),
        omitted_messages=3,
        omitted_tokens=min(tokens, (1 << 31) - 1),
        rolled_back_messages=2,
    )
    assert context_service_pb2.GetContextResponse.FromString(window_wire.window(window)) == expected
