from collections.abc import Callable

import pytest

from antiphon_client import ApiKey, Client
from tests.client.fake_server import fake_server


async def example(address: str, key: str, show: Callable[[str], None]) -> None:
    """The README's example: ask one question and print the answer as it comes."""
    async with Client.connect(address, ApiKey(key)) as client:
        conversation = await client.create_conversation(title="Geography")
        async with client.converse(conversation.conversation_id) as talk:
            turn = await talk.post("What is the capital of France?")
            async for piece in turn:
                show(piece)
            result = await turn.result()
            show(f"\n({result.model}, {result.usage.output_tokens} tokens)")


async def test_the_example_prints_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Connect, ask, and the streamed answer is printed."""
    async with fake_server() as server:
        await example(server.address, "key", lambda piece: print(piece, end=""))
    assert capsys.readouterr().out == "Hello wide wörld!\n(fake/model, 0 tokens)"


async def test_lists_are_fetched_page_by_page() -> None:
    """A list goes on over its pages."""
    async with fake_server() as server, Client.connect(server.address, ApiKey("key")) as client:
        ids = [c.conversation_id async for c in client.list_conversations()]
    assert ids == ["conv_00", "conv_01", "conv_10", "conv_11", "conv_20", "conv_21"]
