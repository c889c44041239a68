"""What models publicly cost: looked up where the table takes nothing from the server."""

import asyncio
import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from antiphon_server.integration.models import catalogue
from antiphon_server.integration.models.adapters import prices
from antiphon_server.integration.models.adapters.kept_answers import FILE, KeptAnswers, Known
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.adapters.scripted import ScriptedModel
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.pricing import Prices, Rates, Tier
from antiphon_server.integration.models.settings import ModelSettings

WEEK_S = 7 * 24 * 3600
GPT = ModelSettings(name="openai/gpt-4.1", kind="openai", base_url="http://127.0.0.1:1/v1")
NOBODYS = ModelSettings(name="nobody/none", kind="openai", base_url="http://127.0.0.1:1/v1")
PRICES = Prices(Rates(2_000_000, 8_000_000, cached=500_000))
TIERS, TIMES = "anthropic/claude-sonnet-4-5", "deepseek/deepseek-flash"
ONE, OTHER = Known(Prices(Rates(1, 2)), 3), Known(Prices(Rates(4, 5)), 6)


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
    assert KeptAnswers(tmp_path).get("a/b", lambda: ONE) == ONE
    assert KeptAnswers(tmp_path).get("a/b", lambda: None) == ONE


def test_prices_are_looked_up_again_after_a_week(tmp_path: Path) -> None:
    """There are days on which they change."""
    now = 1000.0 * WEEK_S
    assert KeptAnswers(tmp_path, lambda: now).get("a/b", lambda: ONE) == ONE
    later = KeptAnswers(tmp_path, lambda: now + WEEK_S)
    assert later.get("a/b", lambda: OTHER) == OTHER


def test_a_folder_that_takes_no_file_is_no_failure(tmp_path: Path) -> None:
    """The answer is known for as long as the process lives."""
    answers = KeptAnswers(tmp_path / "missing")
    assert answers.get("a/b", lambda: ONE) == ONE
    assert answers.get("a/b", lambda: None) == ONE


def test_what_could_not_be_looked_up_is_looked_up_again(tmp_path: Path) -> None:
    """After a minute: the machine was busy, and a budget of money needs the price."""
    now, answers = [1000.0 * WEEK_S], KeptAnswers(tmp_path, lambda: now[0])

    def too_slow() -> Known | None:
        raise subprocess.TimeoutExpired("price_table.py", 60)

    assert answers.get("a/b", too_slow) is None
    assert answers.get("a/b", lambda: ONE) is None
    now[0] += 61
    assert answers.get("a/b", lambda: ONE) == ONE


def test_neither_server_misreads_the_others_file(tmp_path: Path) -> None:
    """One of the version before, which had numbers alone, is looked up anew, and so is ours."""
    package, week = version("genai-prices"), time.time() // WEEK_S
    said_before = f"genai-prices {package}, week {week:.0f}"
    older = {"said_by": said_before, "models": {"a/b": [7, 8, 9]}}
    (tmp_path / FILE).write_text(json.dumps(older))
    assert KeptAnswers(tmp_path).get("a/b", lambda: ONE) == ONE
    ours = json.loads((tmp_path / FILE).read_text())
    assert isinstance(ours["models"], dict)
    assert ours["said_by"] != said_before


@pytest.mark.parametrize("models", [{"a/b": [1, 2, 3]}, {"a/b": {"prices": 1}}, []])
def test_a_damaged_file_costs_a_look_up(tmp_path: Path, models: object) -> None:
    """Whatever it says of itself."""
    KeptAnswers(tmp_path).get("a/b", lambda: OTHER)
    ours = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(ours | {"models": models}))
    assert KeptAnswers(tmp_path).get("a/b", lambda: ONE) == ONE


async def test_all_that_is_asked_is_known_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kinds, tiers and times of the day."""
    found = [await PublicModels(tmp_path).prices(named(name)) for name in (TIERS, TIMES)]
    monkeypatch.setattr(prices, "_PROGRAM", tmp_path / "gone")
    assert [await PublicModels(tmp_path).prices(named(name)) for name in (TIERS, TIMES)] == found
    tiers, times = found
    assert tiers is not None
    assert tiers.rates == Rates(3_000_000, 15_000_000, cached=300_000, cache_write=3_750_000)
    long = Rates(6_000_000, 22_500_000, cached=600_000, cache_write=7_500_000)
    assert tiers.tiers == (Tier(200_000, long),)
    assert times is not None
    assert {change.daily for change in times.changes} == {(3600, 14_400), (21_600, 36_000)}


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("mistral/mistral-ocr-2505", None),
        ("perplexity/sonar-deep-research", None),
        ("openai/text-embedding-3-small", None),
        ("google/gemma-3", None),
        ("azure/mai-ds-r1:free", Prices(Rates(0, 0))),
    ],
)
async def test_what_is_not_counted_here_has_no_known_price(name: str, free: Prices | None) -> None:
    """Pages, citations, what is never answered, or nothing at all: none of it is free for that."""
    assert await PublicModels().prices(named(name)) == free


def named(name: str) -> ModelSettings:
    return ModelSettings(name=name, kind="openai", base_url="http://127.0.0.1:1/v1")


class LookedUpLate(ScriptedModel):
    """Nobody could say what it costs when that was asked first."""

    asked = 0

    async def prices(self) -> Prices | None:
        """See :meth:`ModelBackend.prices`."""
        self.asked += 1
        return PRICES if self.asked > 1 else None


@pytest.mark.parametrize("after_s", [0.0, 60.0])
async def test_a_price_that_was_unknown_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, after_s: float
) -> None:
    """After a while, and not for each call; nobody has to start the server anew."""
    monkeypatch.setattr(catalogue, "PRICES_AGAIN_S", after_s)
    settings = ModelSettings(name="scripted/late", kind="scripted")
    backend = LookedUpLate(settings)
    model = ConfiguredModel(settings, backend)
    assert await model.prices() is None
    await asyncio.sleep(0.001)
    assert await model.prices() == (None if after_s else PRICES)
    assert backend.asked == (1 if after_s else 2)
    await model.close()
