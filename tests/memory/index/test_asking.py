"""What is asked for beside words."""

import pytest

from antiphon_server.memory.index import asks_for_nothing


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("What do you know about me?", True),
        ("Was weißt du über mich?", True),
        ("Que sais-tu de moi ?", True),
        ("¿Qué sabes de mí?", True),
        ("What do you know about boats?", False),
        ("yes, do it please", False),
        ("Will", False),
    ],
)
def test_nothing_in_particular_is_asked(text: str, nothing: bool) -> None:
    """What is known is asked for, and no word says of what."""
    assert asks_for_nothing(text) == nothing
