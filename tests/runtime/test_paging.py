"""Page tokens come back as they were given, and nothing else does."""

import contextlib
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.context.v1.message_pb2 import Part
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import (
    MAX_PAGE_BYTES,
    after_name,
    decode_page_token,
    encode_page_token,
    page_by_name,
    page_limit,
    page_of,
)

FIELD = st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)


@given(st.lists(FIELD, min_size=1, max_size=4))
def test_a_token_gives_its_position_back(position: list[str]) -> None:
    """Whatever the fields hold."""
    token = encode_page_token("sheep", *position)
    assert decode_page_token(token, "sheep", len(position)) == tuple(position)


@given(st.text(min_size=1, max_size=60))
def test_any_other_text_is_refused_or_has_the_right_number_of_fields(token: str) -> None:
    """No text, however odd, raises anything but PAGE_TOKEN_INVALID."""
    with contextlib.suppress(DomainError):
        position = decode_page_token(token, "sheep", 2)
        assert position is not None
        assert len(position) == 2


@pytest.mark.parametrize("token", ["é", "a", "####", "AA==x", "\ud7ff"])
def test_malformed_tokens_are_refused(token: str) -> None:
    """Bad base64 and characters outside ASCII."""
    with pytest.raises(DomainError) as caught:
        decode_page_token(token, "sheep", 2)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize("other", ["goats", "sheep of ann", "sheep, shorn"])
def test_a_token_of_another_list_is_refused(other: str) -> None:
    """Be it of other things, of somebody else's, or with another filter."""
    with pytest.raises(DomainError) as caught:
        decode_page_token(encode_page_token(other, "1", "x"), "sheep", 2)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


def test_page_sizes_are_coerced() -> None:
    """0 is the default, too many is the most (AIP-158)."""
    assert [page_limit(0), page_limit(7), page_limit(10_000)] == [50, 7, 200]


def test_a_page_has_room_for_its_rows() -> None:
    """As many as were wanted, and as fit into a message; one at least."""
    small, large = [Part(text="x")] * 5, [Part(text="x" * MAX_PAGE_BYTES)] * 3
    assert len(page_of(small, 3)) == 3
    assert len(page_of(small, 9)) == 5
    assert len(page_of(large, 3)) == 1
    assert page_of(list[Part](), 3) == []


@dataclass(frozen=True)
class Sheep:
    """One of a flock."""

    name: str

    def told(self) -> Part:
        return Part(text=self.name)


@given(st.sets(FIELD.filter(bool)), st.integers(1, 5))
def test_pages_by_name_have_each_row_once(names: set[str], size: int) -> None:
    """In order, and the last page says that it is the last."""
    flock = [Sheep(name) for name in sorted(names)]
    seen, token = list[str](), ""
    for _ in range(len(flock) // size + 1):
        after = after_name(token, "sheep")
        page, token = page_by_name(flock, Sheep.told, "sheep", after, size)
        seen += [part.text for part in page]
        if not token:
            break
    assert (seen, token) == (sorted(names), "")
