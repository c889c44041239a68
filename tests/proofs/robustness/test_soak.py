"""What a soak says of itself."""

import pytest

from tests.proofs.robustness.__main__ import main
from tests.proofs.robustness.scenario import Outcome
from tests.proofs.robustness.soak import Soak


def test_the_last_words_say_whether_all_promises_were_kept() -> None:
    """In words, for whoever does not read the table."""
    came = Soak(7)
    came.add(Outcome("calm", "7-1"))
    assert came.verdict == "All promises kept in 1 round (seed 7)."
    came.add(Outcome("kill", "7-2", wrong=["a post was lost"]))
    assert came.verdict == "PROMISES BROKEN: 1 violations in 2 rounds (seed 7)."


def test_the_help_says_what_it_does_and_for_how_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the name it is called by, with the default of every option."""
    monkeypatch.setattr("sys.argv", ["poe soak", "soak", "--help"])
    with pytest.raises(SystemExit):
        main()
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("usage: poe soak ")
    assert "judges every promise" in said
    assert "(default: 30.0)" in said
