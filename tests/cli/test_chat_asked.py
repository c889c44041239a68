"""A chat whose user is asked who shall have their message."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal

SAID = "Repeats word by word what a model answers by the conversation"
RULES = """
[[rules]]
name = "experts"
classifier = { handlers = ["echo", "assistant"], min_score = 1, ask = { wait = "900s" } }
fallback = "people"
"""


@pytest.fixture
def chat(home: Home) -> Iterator[Terminal]:
    """With a server of its own, whose rule is never sure."""
    with home.server():
        assert home.run("routes", "set", "-", stdin=RULES).returncode == 0
        with Terminal(["chat"], home.environment) as terminal:
            terminal.wait_for(">$")
            yield terminal


def test_experts_are_offered_with_what_they_do(chat: Terminal) -> None:
    """They are chosen by their numbers; no tool is said to read that."""
    chat.line(SAID)
    asked = chat.wait_for(r"routes.ask asks: Several could answer this. Who shall\?")
    listed = chat.wait_for(r"Who: one of these\n", after=asked.start())
    one = chat.wait_for(r"(\d): echo: Repeats the message", after=listed.end())
    chat.wait_for("3: none of these: people", after=one.end())
    assert "It reads what you say" not in chat.seen
    chat.line(one[1])
    chosen = chat.wait_for("→ echo has it", after=one.end())
    chat.wait_for(SAID, after=chosen.end())
    chat.wait_for("echo: it was chosen by who was asked", after=chosen.end())


def test_one_that_is_left_waits_where_it_was(home: Home) -> None:
    """Without a terminal nobody can answer; the next chat there asks again."""
    with home.server():
        assert home.run("routes", "set", "-", stdin=RULES).returncode == 0
        left = home.run("chat", "--once", SAID)
        assert left.returncode == 3
        assert "routes.ask asks: Several could answer this. Who shall?" in left.stderr
        *_, again = left.stderr.split("`")[:2]
        with Terminal(again.split()[1:], home.environment) as terminal:
            asked = terminal.wait_for("Who: one of these")
            terminal.line("3")
            terminal.wait_for("people has it", after=asked.end())
