"""Prompts that are remembered are those that were sent."""

import gc
import random
import tracemalloc

import pytest

from antiphon.context.v1 import message_pb2
from antiphon_server.integration import encoding
from antiphon_server.integration.models.model import Part, PromptMessage
from antiphon_server.integration.models.prompts import SHORT_BYTES, RememberedPrompts


def test_what_is_remembered_is_what_decoding_gives() -> None:
    """Windows that move over histories, some repeated, in more conversations than are kept."""
    decoded: list[bytes] = []

    def decode(encoded: bytes) -> PromptMessage:
        decoded.append(encoded)
        return PromptMessage("user", (Part("text", encoded.decode()),))

    prompts = RememberedPrompts(decode, max_bytes=100_000)
    chance = random.Random(3)
    for step in range(400):
        conversation = chance.choice(("", *map(str, range(10))))
        history = [f"{conversation} {n}".encode() for n in range(step // 10, step // 10 + 12)]
        found = prompts.decoded(conversation, history)
        assert [message.text.encode() for message in found] == history
    assert len(decoded) < 400 * 12


def test_long_messages_are_not_kept() -> None:
    """Memory is bounded in bytes, not only in messages."""
    calls = 0

    def decode(encoded: bytes) -> PromptMessage:
        nonlocal calls
        calls += 1
        return PromptMessage("user", ())

    prompts = RememberedPrompts(decode)
    for _ in range(2):
        prompts.decoded("conv", [b"x" * SHORT_BYTES, b"y" * (SHORT_BYTES + 1)])
    assert calls == 3


@pytest.mark.parametrize(
    ("messages", "parts", "text"),
    [(0, 0, ""), (3, 1, "a"), (60, 300, "a"), (60, 8, "b" * 240 + "😀")],
)
def test_memory_is_bounded_whatever_is_asked(messages: int, parts: int, text: str) -> None:
    """Nothing at all, little in many conversations, many parts, wide characters."""
    prompts = RememberedPrompts(encoding.said, max_bytes=1 << 20)
    part, user = message_pb2.Part(text=text), message_pb2.MESSAGE_ROLE_USER
    all_parts = message_pb2.Message(role=user, parts=[part] * parts).SerializeToString()
    tracemalloc.start()
    try:
        for conversation in range(40 if messages > 3 else 4_000):
            authors = (message_pb2.Message(author=f"{conversation} {n}") for n in range(messages))
            said = [all_parts + each.SerializeToString() for each in authors]
            found = prompts.decoded(f"c{conversation}", said)
            assert all(one.text_bytes and one.kinds for one in found)
            del said, found
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()
