"""Private keys of any length: no line of one is left."""

import base64
import random

import pytest

from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.searching import found_in
from antiphon_server.filters.kinds import finders, masking_finders
from antiphon_server.filters.masking.masker import Masker
from antiphon_server.filters.model import Secrets

LONG = 150_000
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


BETWEEN = ["\n", "\r\n", "\\n", "\n> ", " \n\n", "\n        ", "\u2028"]


@pytest.mark.parametrize("between", BETWEEN, ids=repr)
def test_of_a_key_of_any_length_nothing_is_shown(between: str) -> None:
    """Nor is more of it held back than a few lines: it is masked as long as its lines go on."""
    masker, most = Masker(masking_finders(Secrets())), 0
    text, pieces = f"mine:\n{block(LONG, between)} and on.", list[str]()
    for at in range(0, len(text), 50):
        pieces.append(masker.feed(text[at : at + 50]))
        most = max(most, len(masker._held) + len(masker._context))
    assert left(text) == "".join([*pieces, masker.end()]) == "mine:\n[private_key] and on."
    assert most < 17_000
    assert masker.found == {"private_key": 1}


@pytest.mark.parametrize("between", BETWEEN, ids=repr)
@pytest.mark.parametrize("end", ["", "-----END ", "-----END IT-----"])
@pytest.mark.parametrize("seed", range(2))
def test_however_a_long_key_is_split(seed: int, end: str, between: str) -> None:
    """What is shown is what cutting the whole would leave, wherever its lines end."""
    chance = random.Random(seed)
    body = lines(24_000)
    for behind in (
        "-----END",
        " no key",
        "\n",
        between * 2 + "    more",
        ">",
        "\\",
        "\r",
        "\u00bd",
    ):
        at = chance.randrange(330, len(body))
        said = between.join([block(0, between, end), *body[:at], behind, *body[at:], "."])
        expected, size = left(said), chance.choice((7, 61, 300))
        for cut_at in (0, chance.randrange(len(said))):
            masker = Masker(masking_finders(Secrets()))
            first = "".join(masker.feed(it) for it in split(said[:cut_at], size))
            assert (
                first
                + "".join([*(masker.feed(it) for it in split(said[cut_at:], size)), masker.end()])
                == expected
            )


@pytest.mark.parametrize("calls", [1, 3])
def test_a_long_key_that_calls_of_tools_part_is_masked_behind_them(calls: int) -> None:
    """Each time all that is held back is shown as if it were all; what goes on is not shown."""
    masker, text = Masker(masking_finders(Secrets())), block(LONG) + " and on."
    parts = split(text, len(text) // (calls + 1) + 1)
    shown = "".join("".join(map(masker.feed, split(it, 300))) + masker.end() for it in parts)
    assert shown == "[private_key] and on."


def test_what_a_key_ends_with_may_begin_the_next() -> None:
    """It is masked, too."""
    text = block(100, end="-----END A-----BEGIN PRIVATE KEY-----\n") + "\n".join(lines(400))
    assert left(text) == shown(text) == "[private_key]"


def split(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


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
