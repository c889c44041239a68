"""Prompts that are remembered are those that were sent."""

import random

from antiphon_server.integration.model import Part, PromptMessage
from antiphon_server.integration.prompts import SHORT_BYTES, RememberedPrompts


def test_what_is_remembered_is_what_decoding_gives() -> None:
    """Windows that move over histories, some repeated, in more conversations than are kept."""
    decoded: list[bytes] = []

    def decode(encoded: bytes) -> PromptMessage:
        decoded.append(encoded)
        return PromptMessage("user", (Part("text", encoded.decode()),))

    prompts = RememberedPrompts(decode, max_messages=60)
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
