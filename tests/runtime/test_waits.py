"""How long somebody has to wait, as people say it."""

import pytest

from antiphon_server.runtime.errors.waits import in_words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 s"),
        (119.1, "120 s"),
        (120, "2 minutes"),
        (7199, "120 minutes"),
        (43_200, "12 hours"),
        (172_800, "2 days"),
        (441_817, "5 days"),
    ],
)
def test_it_is_said_in_the_unit_that_people_count_in(seconds: float, said: str) -> None:
    """One of anything is never said."""
    assert in_words(seconds) == said
