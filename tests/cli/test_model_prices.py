"""``antiphon models``: what each kind of tokens costs, also of long prompts."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Home

ABOVE = {
    "above_tokens": 200_000,
    "input_price_micros": 2_500_000,
    "cached_price_micros": 250_000,
    "output_price_micros": 15_000_000,
}
DEAR = {
    "input_price_micros": 1_250_000,
    "cached_price_micros": 125_000,
    "reasoning_price_micros": 12_000_000,
    "output_price_micros": 10_000_000,
    "request_price_micros": 5_000,
    "long_context": [ABOVE],
    "context_tokens": 400_000,
}
MODELS = json.dumps(
    [
        {"name": "scripted/dear", "kind": "scripted", **DEAR},
        {"name": "scripted/plain", "kind": "scripted", "context_tokens": 8_000}
        | {"input_price_micros": 150_000, "output_price_micros": 600_000},
        {"name": "mine/unpriced", "kind": "openai", "base_url": "http://127.0.0.1:1/v1"},
    ]
)
SHOWN = """\
MODEL      scripted/dear
state      ready
takes      text, tools
context    400,000 tokens
a prompt   at most 395,904 tokens
an answer  at most 4,096 tokens

A MILLION TOKENS      SHORTER PROMPT  PROMPT ABOVE 200,000 TOKENS
read                  1.25 USD        2.5 USD
read, from the cache  0.125 USD       0.25 USD
written               10 USD          15 USD
thought               12 USD          as written
a call                0.005 USD       0 USD
"""


@pytest.fixture
def priced(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home whose server has models with prices of all kinds."""
    monkeypatch.setenv("ANTIPHON_MODELS", MODELS)
    with home.server():
        yield home


def test_the_list_has_prices_in_short(priced: Home) -> None:
    """What is read and said, what is cached, and above which length others hold."""
    shown = {line.split()[0]: line for line in priced.run("models").stdout.splitlines()}
    dear = "1.25 (cached 0.125) and 10 + 0.005 a call USD; above 200,000 tokens 2.5 (cached 0.25)"
    assert f"{dear} and 15" in shown["scripted/dear"]
    assert "0.15 and 0.6 USD" in shown["scripted/plain"]
    assert "unknown" in shown["mine/unpriced"]


def test_one_is_shown_whole(priced: Home) -> None:
    """Each kind that has a price of its own, and what it costs where it has none."""
    assert priced.run("models", "get", "scripted/dear").stdout == SHOWN
    (tier, longer) = json.loads(priced.run("models", "get", "scripted/dear", "--json").stdout)[
        "prices"
    ]
    assert tier["request"] == {"currency": "USD", "micros": "5000"}
    assert longer["above_tokens"] == "200000"


def test_a_price_that_nobody_knows_is_told(priced: Home) -> None:
    """With where to say it; so is a model that there is not."""
    assert "ANTIPHON_MODELS may say it" in priced.run("models", "get", "mine/unpriced").stdout
    refused = priced.run("models", "get", "no/model")
    assert (refused.returncode, "there is no model no/model" in refused.stderr) == (1, True)
