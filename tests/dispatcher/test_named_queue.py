"""What a queue shows of a message."""

import pytest

from antiphon_server.dispatcher.adapters.named_queue import MOST_OF_LINE, first_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("\n \n", ""),
        ("\n  May I?  \nmore", "May I?"),
        ("x" * (MOST_OF_LINE + 1), "x" * MOST_OF_LINE),
    ],
)
def test_its_first_line_that_has_something_in_it(text: str, shown: str) -> None:
    assert first_line(text) == shown
