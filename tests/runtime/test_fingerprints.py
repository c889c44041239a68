"""Fingerprints are the same for what is much the same, and for nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.runtime.encoding.fingerprints import LOOKED_AT, fingerprint

LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=40)


@given(LETTERS, st.text("0123456789 .,!?-_\n\t"))
def test_numbers_spaces_and_punctuation_are_no_difference(word: str, noise: str) -> None:
    """Wherever they stand, and however it is written: ASCII or not."""
    assert fingerprint([f"{noise}{word.upper()}{noise}"]) == fingerprint([word.upper()])


@given(st.text(max_size=60), st.text(max_size=60))
def test_other_letters_are_a_difference(one: str, other: str) -> None:
    """Two texts are the same when their letters are; of those without letters, all of it."""
    letters = [re.sub(r"[\W\d_]+", "", it.casefold()) or it for it in (one, other)]
    assert (fingerprint([one]) == fingerprint([other])) == (letters[0] == letters[1])


def test_what_comes_late_in_a_text_does_not_count() -> None:
    """Its beginning does; numbers alone are told apart, and no fingerprint is 0."""
    assert fingerprint(["a" * LOOKED_AT + "b"]) == fingerprint(["a" * LOOKED_AT + "c"])
    assert fingerprint(["12"]) != fingerprint(["13"])
    assert fingerprint([]) != 0
