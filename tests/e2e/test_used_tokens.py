"""What a turn consumed of each kind of tokens, from the provider's answer to whoever asks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from antiphon.integration.v1.model_pb2 import Money, Usage
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

M = 1_000_000
PRICES: dict[str, Any] = {
    "input_price_micros": 10 * M,
    "output_price_micros": 20 * M,
    "cached_price_micros": M,
    "reasoning_price_micros": 30 * M,
    "request_price_micros": 5,
    "long_context": [
        {"above_tokens": 1000, "input_price_micros": 100 * M, "output_price_micros": 200 * M}
    ],
}
DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 7},
}
ANSWER = Behaviour(deltas=2, usage=(100, 10), details=DETAILS)
SHORT = Usage(
    input_tokens=100,
    output_tokens=10,
    cached_tokens=60,
    reasoning_tokens=7,
    cost=Money(currency="USD", micros=400 + 60 + 60 + 210 + 5),
)
LONG = Usage(
    input_tokens=1100,
    output_tokens=10,
    cached_tokens=60,
    reasoning_tokens=7,
    cost=Money(currency="USD", micros=110_000 + 2_000),
)


async def test_a_turn_tells_what_it_consumed_of_each_kind(tmp_path: Path) -> None:
    """Its end, the turn and the ledger say the same, and what it cost by its length."""
    async with FakeEndpoint(ANSWER) as endpoint:
        models = [openai_model("fake/priced", endpoint.base_url, **PRICES)]
        async with ServerProcess(tmp_path, models=models) as server, server.client() as client:
            made = await client.create_conversation()
            for answers, expected in ((100, SHORT), (1100, LONG)):
                endpoint.behaviour = replace(ANSWER, usage=(answers, 10))
                async with client.converse(made.conversation_id) as talk:
                    turn = await talk.post("Hello")
                    result = await turn.result()
                assert result.usage == expected
                stored = await client.get_turn(made.conversation_id, turn.turn_id)
                assert stored.usage == expected
                told = await client.get_usage(made.workspace_id, turn.turn_id, made.conversation_id)
                assert (told.total, told.calls[0].usage) == (expected, expected)
