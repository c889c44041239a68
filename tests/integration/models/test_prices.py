"""What models publicly cost: looked up where the table takes nothing from the server."""

import os
import sys
from pathlib import Path

import pytest

from antiphon_server.integration.models.adapters import prices
from antiphon_server.integration.models.adapters.kept_answers import FILE, KeptAnswers
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.pricing import Prices, Rates
from antiphon_server.integration.models.settings import ModelSettings

WEEK_S = 7 * 24 * 3600
GPT = ModelSettings(name="openai/gpt-4.1", kind="openai", base_url="http://127.0.0.1:1/v1")
NOBODYS = ModelSettings(name="nobody/none", kind="openai", base_url="http://127.0.0.1:1/v1")
PRICES = Prices(Rates(2_000_000, 8_000_000))


async def test_the_table_is_not_loaded_into_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's price is found, and what it was found in is gone."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "genai_prices"]:
        monkeypatch.delitem(sys.modules, name)
    assert await PublicModels().prices(GPT) == PRICES
    assert "genai_prices" not in sys.modules


async def test_a_price_that_can_not_be_looked_up_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No model fails for it, the log says why, and the next start tries again."""
    monkeypatch.setattr(prices, "TIMEOUT_S", 0.001)
    assert await PublicModels(tmp_path).prices(GPT) is None
    assert "the price of openai/gpt-4.1 could not be looked up" in caplog.text
    monkeypatch.undo()
    assert await PublicModels(tmp_path).prices(GPT) == PRICES


async def test_the_next_start_looks_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known, and of whom nothing is, is in the data folder."""
    first = PublicModels(tmp_path)
    assert (await first.prices(GPT), await first.prices(NOBODYS)) == (PRICES, None)
    monkeypatch.setattr(prices, "_PROGRAM", tmp_path / "gone")
    second = PublicModels(tmp_path)
    assert (await second.prices(GPT), await second.prices(NOBODYS)) == (PRICES, None)
    assert os.listdir(tmp_path) == [FILE]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"said_by": "genai-prices 0.0.1"}'])
def test_what_is_not_todays_word_is_not_taken(tmp_path: Path, content: str) -> None:
    """A damaged file, or one of another version, is written anew."""
    (tmp_path / FILE).write_text(content)
    assert KeptAnswers(tmp_path).get("a/b", lambda: [1, 2, 3]) == [1, 2, 3]
    assert KeptAnswers(tmp_path).get("a/b", lambda: None) == [1, 2, 3]


def test_prices_are_looked_up_again_after_a_week(tmp_path: Path) -> None:
    """There are days on which they change."""
    now = 1000.0 * WEEK_S
    assert KeptAnswers(tmp_path, lambda: now).get("a/b", lambda: [1, 2, 3]) == [1, 2, 3]
    later = KeptAnswers(tmp_path, lambda: now + WEEK_S)
    assert later.get("a/b", lambda: [4, 5, 6]) == [4, 5, 6]


def test_a_folder_that_takes_no_file_is_no_failure(tmp_path: Path) -> None:
    """The answer is known for as long as the process lives."""
    answers = KeptAnswers(tmp_path / "missing")
    assert answers.get("a/b", lambda: [1, 2, 3]) == [1, 2, 3]
    assert answers.get("a/b", lambda: None) == [1, 2, 3]
