"""The model for tests and benchmarks."""

import pytest

from antiphon_server.integration.models.adapters.scripted import ScriptedModel
from antiphon_server.integration.models.model import FinishReason, ModelEnd
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.integration.world import answer, asking


def count(**script: object) -> ScriptedModel:
    return ScriptedModel(
        configured({"name": "scripted/count", "kind": "scripted", "script": script}, ModelSettings)
    )


@pytest.mark.parametrize("text", ["one two", " one  two ", "one\ntwo", "ä", " "])
async def test_echo_repeats_the_last_text(text: str) -> None:
    """Every character of it, word by word."""
    said, end = await answer(ScriptedModel(model_named("scripted/echo")), asking(text))
    assert said == text
    assert end.reason is FinishReason.STOP


async def test_count_counts() -> None:
    """One number a delta, one token each."""
    assert await answer(count(deltas=3), asking("abcd")) == (
        "1 2 3",
        ModelEnd(FinishReason.STOP, Tokens(5, 3)),
    )


async def test_it_stops_at_the_token_limit() -> None:
    """As a real model does."""
    said, end = await answer(count(deltas=9), asking(limit=2))
    assert (said, end.reason) == ("1 2", FinishReason.LENGTH)


async def test_it_fails_where_it_was_told_to() -> None:
    """After so many deltas, with that reason."""
    model = count(deltas=9, fail_after=2, fail_reason="MODEL_PROTOCOL")
    steps = model.generate(asking())
    assert [await anext(steps), await anext(steps)] == ["1", " 2"]
    with Refused(Reason.MODEL_PROTOCOL):
        await anext(steps)
