"""Models in bad weather, on the pages: what operators see and do, and what a chat says."""

import json
from pathlib import Path

import pytest

from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import free_port
from tests.web.control import Control, wishes_of
from tests.web.vitest import IN_A_BROWSER, passes

PRICES = {"input_price_micros": 100_000, "output_price_micros": 400_000}
LONGER = {
    "above_tokens": 200_000,
    "input_price_micros": 2_500_000,
    "cached_price_micros": 250_000,
    "output_price_micros": 15_000_000,
}
TIERS = {
    "input_price_micros": 1_250_000,
    "cached_price_micros": 125_000,
    "output_price_micros": 10_000_000,
    "long_context": [LONGER],
    "context_tokens": 400_000,
    "accepts": ["text", "image"],
}


@pytest.mark.needs(*IN_A_BROWSER)
async def test_what_is_seen_of_models_in_bad_weather(tmp_path: Path) -> None:
    """`clients/web/tests/weather.test.ts` passes: one model of each kind of weather."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with FakeEndpoint(Behaviour(deltas=20, gap_ms=2)) as endpoint:
        models = [
            openai_model("fake/well", endpoint.base_url, **PRICES),
            openai_model("fake/down", endpoint.base_url, **PRICES | {"model": "503"}),
            openai_model("fake/held", endpoint.base_url, **PRICES),
            openai_model("fake/tiers", endpoint.base_url, **TIERS),
            openai_model("fake/limited", endpoint.base_url, **PRICES | {"model": "429"}),
            openai_model("fake/unpriced", endpoint.base_url),
        ]
        server = ServerProcess(tmp_path, models=models, variables=variables)

        async def listed(told: str) -> str:
            """A conversation with a list of models; its id."""
            async with server.client() as client:
                return (await client.create_conversation(models=json.loads(told))).conversation_id

        wishes = wishes_of(server, endpoint) | {"listed": listed}
        async with server, Control(wishes) as control:
            await passes("weather", f"http://127.0.0.1:{port}", control, tmp_path)
            assert server.defects == []
