"""What the built-in finders find in the corpus, and that cutting it out leaves nothing."""

import pytest

from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.searching import found_in
from tests.filters.built_in import ALL
from tests.filters.corpus import ATTACKS, HARMLESS, KNOWN_GAPS, Sample


@pytest.mark.parametrize("sample", [*ATTACKS, *HARMLESS, *KNOWN_GAPS], ids=lambda it: it.name)
def test_what_is_found_is_what_the_corpus_says(sample: Sample) -> None:
    """Those categories and no others."""
    assert {it.category for it in found_in(sample.parts, ALL)} == sample.categories


@pytest.mark.parametrize("sample", ATTACKS, ids=lambda it: it.name)
def test_what_is_cut_out_is_found_no_more(sample: Sample) -> None:
    """In as many parts as before, each with what stands for it."""
    left = cut(sample.parts, found_in(sample.parts, ALL))
    assert len(left) == len(sample.parts)
    assert found_in(left, ALL) == []
    assert any(f"[{category}]" in "".join(left) for category in sample.categories)


@pytest.mark.parametrize("sample", HARMLESS, ids=lambda it: it.name)
def test_what_is_harmless_is_left_byte_for_byte(sample: Sample) -> None:
    """Nothing found, nothing touched."""
    assert cut(sample.parts, found_in(sample.parts, ALL)) == list(sample.parts)
