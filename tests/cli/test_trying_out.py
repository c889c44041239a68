"""A chat says what the small model is good for."""

import pytest

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal


@pytest.mark.parametrize(
    ("model", "said"), [("local/smollm2-135m", True), ("scripted/echo", False)]
)
def test_a_chat_with_the_small_model_says_so(home: Home, model: str, said: bool) -> None:
    """Once, at the start, and how to ask a better one."""
    variables = {**home.environment, "ANTIPHON_MODEL": model}
    with Terminal(["chat"], variables) as terminal:
        terminal.wait_for(">$")
        assert ("is for trying out" in terminal.seen) is said
        assert ("antiphon up --model" in terminal.seen) is said
