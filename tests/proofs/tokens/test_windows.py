"""No prompt is longer than its model's window."""

import pytest

from antiphon_server.integration.models.counting import FOUR_BYTES
from tests.proofs.tokens.windows import Verdict, run


def _kept(verdict: Verdict) -> None:
    """Nothing is beyond a window; of models that nobody here knows hardly anything."""
    assert len(verdict.guessed) <= verdict.conversations["unknown"] * 0.04
    assert not verdict.beyond
    assert not verdict.underpriced
    assert verdict.cut
    assert verdict.told
    assert verdict.untold


async def test_random_conversations_are_cut_to_windows() -> None:
    """By the tokenizers of five kinds of models, with tools and without; none is underpriced.

    Some have a whiteboard, memories and older messages beside them.
    """
    _kept(await run(300, seed=1))


@pytest.mark.proof
async def test_ten_thousand_conversations_are_cut_to_windows() -> None:
    """The same, for longer."""
    _kept(await run(10_000, seed=2))


async def test_counting_four_bytes_a_token_is_caught() -> None:
    """As it was before: prompts in some scripts are longer than their windows."""
    assert (await run(100, seed=3, counting=lambda _: FOUR_BYTES)).beyond
