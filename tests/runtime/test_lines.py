"""What somebody chose to be shown to others."""

import pytest

from antiphon_server.cli.console import in_a_line, printable
from antiphon_server.runtime.encoding.lines import in_one_line


@pytest.mark.parametrize("turn", map(chr, (0x200E, 0x202A, 0x202D, 0x202E, 0x2066, 0x2069)))
def test_a_line_reads_as_it_is(turn: str) -> None:
    """Nothing in it turns the rest around."""
    assert in_one_line(f"bill{turn}fdp.exe") == in_a_line(f"bill{turn}fdp.exe") == "billfdp.exe"


@pytest.mark.parametrize("end", "\n\t\x1b\x9b\u2028\u2029")
def test_a_line_is_one(end: str) -> None:
    """Whatever would end it, or command the terminal, is a blank."""
    assert in_one_line(f"a{end}b") == in_a_line(f"a{end}b") == "a b"


def test_scripts_from_right_to_left_stay() -> None:
    """With what joins their letters."""
    for text in ("\u05e9\u05dc\u05d5\u05dd", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"):
        assert in_one_line(text) == printable(text) == text


def test_a_message_may_have_marks_and_no_overrides() -> None:
    """It has lines, in which text of both directions stands beside each other."""
    assert printable("a\n\u200fb\u202ec\u202dd") == "a\n\u200fbcd"
