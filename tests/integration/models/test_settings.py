"""How models are configured."""

import pytest

from antiphon_server.integration.ledger.model import MOST_PRICE_MICROS, Money
from antiphon_server.integration.models.pricing import Prices, Rates, Tier, Tokens
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.configuration import WrongSetting, configured

BOTH = {"input_price_micros": 1, "output_price_micros": 2}


@pytest.mark.parametrize(
    ("name", "kind", "model"),
    [
        ("local/smollm2-135m", "local", "smollm2-135m"),
        ("scripted/echo", "scripted", "echo"),
        ("openai/gpt-4.1-mini", "openai", "gpt-4.1-mini"),
        ("openrouter/meta/llama-3", "openai", "meta/llama-3"),
        ("anthropic/claude-sonnet-4-6", "provider", "claude-sonnet-4-6"),
    ],
)
def test_a_name_alone_says_how_a_model_is_reached(name: str, kind: str, model: str) -> None:
    """By the provider before the slash."""
    settings = model_named(name)
    assert (settings.kind, settings.model) == (kind, model)


@pytest.mark.parametrize(
    "name", ["", "gpt", "local/nothing", "/x", "x/", "x/a b", "x/" + "y" * 200]
)
def test_a_name_that_names_nothing_is_refused(name: str) -> None:
    """With a ValueError, as other settings are."""
    with pytest.raises(WrongSetting):
        model_named(name)


def test_a_key_comes_from_the_named_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is never shown."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    settings = model_named("openai/gpt-4.1-mini")
    assert settings.secret == "sk-from-environment"
    assert "sk-from" not in repr(settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "openai"},
        {"kind": "scripted", "input_price_micros": 1},
        {"kind": "scripted", "cached_price_micros": 0},
        {"kind": "scripted", "request_price_micros": 5},
        {"kind": "scripted", "long_context": [{"above_tokens": 9, **BOTH}]},
        {"kind": "scripted", **BOTH, "long_context": [{"above_tokens": 9}]},
        {"kind": "scripted", **BOTH, "long_context": [BOTH]},
        {"kind": "scripted", **BOTH, "currency": "euros"},
        {"kind": "scripted", **BOTH, "currency": "usd"},
        {"kind": "scripted", **BOTH, "output_price_micros": 10**13},
        {"kind": "scripted", "unknown": 1},
        {"kind": "nonsense"},
        {"kind": "scripted", "accepts": ["image"]},
        {"kind": "openai", "base_url": "http://x/v1", "accepts": ["text", "audio"]},
        {"kind": "provider", "accepts": ["text", "image"]},
        {"kind": "local", "accepts": ["text", "file"]},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    """At the start, not at the first call."""
    with pytest.raises(WrongSetting):
        configured({"name": "x/y", **wrong}, ModelSettings)


@pytest.mark.parametrize(("kind", "helps"), [("image", True), ("audio", False)])
def test_what_does_not_get_to_a_model_is_told_with_what_to_do(kind: str, helps: bool) -> None:
    """Whoever starts the server reads it, and nothing else."""
    with pytest.raises(WrongSetting) as refused:
        configured({"name": "x/y", "kind": "provider", "accepts": ["text", kind]}, ModelSettings)
    said = str(refused.value)
    assert f"no {kind} gets to a model of the kind provider, but text: leave the rest out" in said
    assert ('or describe it as one of kind "openai"' in said) == helps


def test_costs_are_rounded_up() -> None:
    """To a millionth, so that many small calls are never free."""
    prices = Prices(Rates(150_000, 600_000))
    assert prices.cost(Tokens(1, 0)) == Money("USD", 1)
    assert prices.cost(Tokens(1_000_000, 1_000_000)) == Money("USD", 750_000)


def test_each_kind_may_have_a_price() -> None:
    """Also where prompts are long, whose prices are told in any order."""
    parts = ["cached", "cache_write", "reasoning", "audio_input", "audio_output", "cached_audio"]
    each = BOTH | {f"{name}_price_micros": at for at, name in enumerate([*parts, "request"], 3)}
    tiers = [{"above_tokens": above, **BOTH} for above in (20, 10)]
    given = {"name": "x/y", "kind": "scripted", "currency": "EUR", **each, "long_context": tiers}
    prices = configured(given, ModelSettings).prices
    rates = Rates(1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert prices == Prices(rates, "EUR", (Tier(10, Rates(1, 2)), Tier(20, Rates(1, 2))))


@pytest.mark.parametrize("name", ["output_price_micros", "request_price_micros"])
def test_no_price_is_beyond_what_sums_can_hold(name: str) -> None:
    """It is refused at the start: its calls could never be settled."""
    highest = {"name": "x/y", "kind": "scripted", **BOTH, name: MOST_PRICE_MICROS}
    assert configured(highest, ModelSettings).prices
    for beyond in (MOST_PRICE_MICROS + 1, 2**70):
        with pytest.raises(WrongSetting, match=name):
            configured(highest | {name: beyond}, ModelSettings)
