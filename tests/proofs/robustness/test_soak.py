"""What a soak says of itself."""

from tests.proofs.robustness.scenario import Outcome
from tests.proofs.robustness.soak import Soak


def test_the_last_words_say_whether_all_promises_were_kept() -> None:
    """In words, for whoever does not read the table."""
    came = Soak(7)
    came.add(Outcome("calm", "7-1"))
    assert came.verdict == "All promises kept in 1 round (seed 7)."
    came.add(Outcome("kill", "7-2", wrong=["a post was lost"]))
    assert came.verdict == "PROMISES BROKEN: 1 violations in 2 rounds (seed 7)."
