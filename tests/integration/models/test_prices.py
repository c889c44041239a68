"""What models publicly cost: looked up where the table takes nothing from the server."""

import sys

import pytest

from antiphon_server.integration.models.adapters import prices
from antiphon_server.integration.models.adapters.prices import known_prices
from antiphon_server.integration.models.model import Prices
from antiphon_server.integration.models.settings import ModelSettings


async def test_the_table_is_not_loaded_into_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's price is found, and what it was found in is gone."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "genai_prices"]:
        monkeypatch.delitem(sys.modules, name)
    model = ModelSettings(name="openai/gpt-4.1", kind="openai", base_url="http://127.0.0.1:1/v1")
    assert await known_prices(model) == Prices(2_000_000, 8_000_000, "USD")
    assert "genai_prices" not in sys.modules


async def test_a_price_that_can_not_be_looked_up_is_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No model fails for it, and the log says why."""
    monkeypatch.setattr(prices, "TIMEOUT_S", 0.001)
    model = ModelSettings(name="openai/gpt-slow", kind="openai", base_url="http://127.0.0.1:1/v1")
    assert await known_prices(model) is None
    assert "the price of openai/gpt-slow could not be looked up" in caplog.text
