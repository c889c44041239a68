"""Whether an answer is what a question's form allows."""

import json

import pytest

from antiphon_server.dispatcher.answer_forms import check_content
from antiphon_server.runtime.errors import DomainError, Reason


def form(kind: str) -> str:
    return json.dumps({"type": "object", "properties": {"size": {"type": kind}}})


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize("said", ["9" * 400, "-" + "9" * 400, str(2**63)])
def test_a_number_that_nobody_can_count_to_is_refused(kind: str, said: str) -> None:
    """As the member's own mistake."""
    with pytest.raises(DomainError) as caught:
        check_content(form(kind), f'{{"size": {said}}}')
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert [it.field for it in caught.value.violations] == ["content_json.size"]


@pytest.mark.parametrize("said", ["1e999", "-1e999", "NaN"])
def test_what_is_no_number_is_refused(said: str) -> None:
    """Though Python's JSON reads it."""
    with pytest.raises(DomainError):
        check_content(form("number"), f'{{"size": {said}}}')


@pytest.mark.parametrize("said", [str(2**63 - 1), str(-(2**63)), "0"])
def test_a_number_of_64_bits_is_taken(said: str) -> None:
    """As long as it may be."""
    check_content(form("integer"), f'{{"size": {said}}}')
    check_content(form("number"), f'{{"size": {said}}}')
