"""What the terminal says of a relay that is over."""

import pytest

from antiphon.integration.v1.connection_service_pb2 import (
    RELAY_CLOSE_REASON_CLOSED,
    RELAY_CLOSE_REASON_EXPIRED,
    RelayEnded,
)
from antiphon_server.cli.connections.open import ending


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (1000, "", " (1000)"),
        (4000, "gone 10", " (4000 gone 10)"),
        (4000, "0", " (4000 0)"),
        (0, "", ""),
    ],
)
def test_code_and_text_are_told_whole(code: int, text: str, words: str) -> None:
    """No digit of either is lost."""
    ended = RelayEnded(reason=RELAY_CLOSE_REASON_CLOSED, code=code, text=text)
    assert ending(ended) == f"· it is over: closed{words}"


def test_without_a_code_the_reason_says_all() -> None:
    """As of one whose time is over."""
    assert ending(RelayEnded(reason=RELAY_CLOSE_REASON_EXPIRED)) == "· it is over: expired"
