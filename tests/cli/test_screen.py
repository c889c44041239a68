import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.console import printable
from tests.cli.glass import Glass

WIDTH = 20


class Paper(io.StringIO):
    """A stream that is a terminal, which begins a new line at its left."""

    def __init__(self) -> None:
        super().__init__()
        self.glass = Glass(WIDTH)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.glass.feed(text.replace("\n", "\r\n"))
        return len(text)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def shown(*pieces: str) -> list[str]:
    paper = Paper()
    screen = Screen(paper, paper)
    for piece in pieces:
        screen.text(piece)
    return paper.glass.lines


def test_words_are_not_broken() -> None:
    """A word that does not fit goes to the next line, even when it comes in pieces."""
    assert shown("The quick brown fo", "x jumps") == ["The quick brown fox", "jumps"]
    assert shown("The quick brownish", " fo", "xes jump") == ["The quick brownish", "foxes jump"]


def test_words_of_notes_are_not_broken_either() -> None:
    """What the chat says of itself is text as well, and its lines stand where they are put."""
    paper = Paper()
    screen = Screen(paper, paper)
    screen.note("It is for trying out: much is wrong.")
    screen.note("/help   all of them\n/quit   leave")
    assert paper.glass.lines == [
        *("It is for trying", "out: much is wrong.", "/help   all of them", "/quit   leave", ""),
    ]


def test_a_word_longer_than_a_line_is_broken() -> None:
    """There is nothing else to do."""
    assert shown("x" * 45) == ["x" * 19, "x" * 19, "x" * 7]


def test_control_characters_do_not_reach_the_terminal() -> None:
    """What a model says can't command the terminal."""
    assert printable("a\x1b[2Jb\x07\x9bc\r\td\n") == "a[2Jbc\td\n"


WORDS = st.text("ab ", min_size=0, max_size=12)
ACTIONS = st.lists(st.tuples(st.booleans(), WORDS), max_size=12)


@settings(max_examples=300)
@given(ACTIONS)
def test_a_status_leaves_no_trace(actions: list[tuple[bool, str]]) -> None:
    """Whenever a status comes and goes, the text is where it would be without it."""
    paper = Paper()
    screen = Screen(paper, paper)
    for is_status, words in actions:
        if is_status:
            screen.status(f"status {words}")
        else:
            screen.text(words)
    screen.clear_status()
    said = "".join(words for is_status, words in actions if not is_status)
    assert "\n".join(paper.glass.lines).rstrip() == "\n".join(shown(said)).rstrip()


def test_a_status_tells_more_until_it_goes() -> None:
    """How far and how long stands behind it, and nothing of that without a status."""
    paper = Paper()
    screen = Screen(paper, paper)
    screen.detail("1 s")
    screen.status("asking")
    screen.detail("4 s")
    assert paper.glass.lines[0].rstrip() == "· asking · 4 s"
    screen.status("asking", 0.4)
    screen.detail("5 s")
    assert paper.glass.lines[0].rstrip() == "· asking · 40% · 5"[: WIDTH - 2] + "…"
    screen.text("Hello")
    screen.detail("6 s")
    assert [line.rstrip() for line in paper.glass.lines] == ["Hello"]


@pytest.mark.parametrize("text", ["", "Hello"])
def test_how_far_it_is_goes_with_its_status(text: str) -> None:
    """Another status, with text before it or none, is not so far."""
    paper = Paper()
    screen = Screen(paper, paper)
    screen.status("reading", 1.0)
    screen.detail("8 s")
    screen.text(text)
    screen.status("away")
    screen.detail("9 s")
    assert paper.glass.lines[-1].rstrip() == "· away · 9 s"


def test_without_a_terminal_text_and_notes_are_apart() -> None:
    """In a pipe the text stays as it is, and everything else goes to stderr."""
    out, notes = io.StringIO(), io.StringIO()
    screen = Screen(out, notes)
    screen.status("asking")
    screen.detail("4 s")
    screen.text("The quick brown fox jumps")
    screen.end_line()
    screen.note("done")
    assert out.getvalue() == "The quick brown fox jumps\n"
    assert notes.getvalue() == "· asking\ndone\n"
