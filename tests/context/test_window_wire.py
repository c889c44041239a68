"""Windows put together from bytes are those that the stubs would have made."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon.context.v1 import context_service_pb2, message_pb2
from antiphon_server.context import encoding
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
from antiphon_server.context.window_wire import WindowEncoder

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
    st.integers(min_value=200, max_value=4000),
)
def test_a_window_is_the_response_with_its_fields(
    texts: list[str], instructions: str, tokens: int, kept_bytes: int
) -> None:
    """Encoded once or twice, with much or little remembered, it reads back as it was put in."""
    encoder = WindowEncoder(kept_bytes)
    messages = tuple(said(offset, text) for offset, text in enumerate(texts, 1))
    window = Window(instructions, messages, tokens, Totals(3, tokens), 2)
    expected = context_service_pb2.GetContextResponse(
        instructions=instructions,
        messages=[encoding.message(one) for one in messages],
        estimated_tokens=min(tokens, (1 << 31) - 1),
        omitted_messages=3,
        omitted_tokens=min(tokens, (1 << 31) - 1),
        rolled_back_messages=2,
    )
    for _ in range(2):
        assert context_service_pb2.GetContextResponse.FromString(encoder.encode(window)) == expected


def test_another_message_at_the_same_place_is_not_taken_for_the_first() -> None:
    """A log that was rebuilt has other messages at places that are known."""
    encoder = WindowEncoder()
    for text in ("before", "after"):
        window = Window("", (said(1, text),), 1, Totals(0, 0), 0)
        response = context_service_pb2.GetContextResponse.FromString(encoder.encode(window))
        assert response.messages[0].parts[0].text == text
