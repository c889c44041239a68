"""Private keys of any length: no line of one is left."""

import base64
import random

import pytest

from antiphon_server.filters.finding.blocks import LONGEST
from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.searching import found_in
from antiphon_server.filters.kinds import finders, masking_finders
from antiphon_server.filters.masking.masker import Masker
from antiphon_server.filters.model import Secrets

KIND = "PGP PRIVATE KEY BLOCK"


def lines(size: int) -> list[str]:
    """Those of a key of about so many characters."""
    body = base64.b64encode(random.Random(7).randbytes(size * 3 // 4)).decode()
    return [body[at : at + 64] for at in range(0, len(body), 64)]


def block(size: int, between: str = "\n", end: str = f"-----END {KIND}-----") -> str:
    """A key."""
    return between.join([f"-----BEGIN {KIND}-----", "", *lines(size), end])


def left(text: str) -> str:
    """What a filter of whole texts leaves."""
    return cut([text], found_in([text], finders(Secrets())))[0]


def shown(text: str, size: int = 300) -> str:
    """What a mask shows of it, in pieces."""
    masker = Masker(masking_finders(Secrets()))
    pieces = [masker.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*pieces, masker.end()])


@pytest.mark.parametrize("between", ["\n", "\r\n", "\\n", "\n> ", " \n\n"], ids=repr)
@pytest.mark.parametrize("size", [4_000, 9_000, 30_000])
def test_a_key_is_one_block_however_long(size: int, between: str) -> None:
    """However its lines are parted; what follows is left."""
    text = f"mine:\n{block(size, between)} keep it safe."
    assert left(text) == shown(text) == "mine:\n[private_key] keep it safe."


def test_a_key_of_a_whole_text_may_be_longer_than_anything_that_is_held_back() -> None:
    """Of a stream as much is masked as is held back."""
    text = block(2 * LONGEST) + " and on."
    assert left(text) == "[private_key] and on."
    assert shown(text).startswith("[private_key]")
    assert sum(it in shown(text) for it in lines(2 * LONGEST)) <= 1.02 * len(lines(LONGEST))


@pytest.mark.parametrize("size", [9_000, 30_000])
def test_a_key_without_an_end_ends_where_its_lines_do(size: int) -> None:
    """What else is said is shown."""
    text = f"{block(size, end='')}And this is not a key."
    for it in (left(text), shown(text)):
        assert it.startswith("[private_key]")
        assert it.endswith(" this is not a key.")
        assert not any(line in it for line in lines(size))


def test_first_lines_one_behind_the_other_take_no_longer() -> None:
    """Each is looked at, but not all that follows it for each."""
    text = f"-----BEGIN {KIND}-----\n" * 200 + "\n".join(lines(500_000))
    assert left(text) == "[private_key]"
