"""``python -m tests.cli.picture``: a real chat with the small model in a terminal, drawn.

Its first answer is the one that README shows; the second is stopped with Ctrl-C.
"""

import argparse
import tempfile
from pathlib import Path

from tests.cli.conftest import Home
from tests.cli.picture.painted import PaintedGlass, svg
from tests.cli.terminal import Terminal
from tests.repository.files import ROOT

PICTURE = ROOT / "docs" / "images" / "chat.svg"
COLUMNS = 80
_QUESTION, _STOPPED, _LAST = (
    "What is the capital of France?",
    "Tell me a long story about a lighthouse.",
    "What is the capital of Italy?",
)
_END = r" s\n\n>$"


def talk(glass: PaintedGlass, home: Path) -> None:
    """Ask, stop an answer, and go on."""
    glass.feed("$ antiphon chat\r\n")
    variables = {**Home(home).environment, "NO_COLOR": "", "TERM": "xterm-256color"}
    with Terminal(["chat"], variables, COLUMNS, glass) as terminal:
        terminal.wait_for(">$")
        terminal.line(_QUESTION)
        asked = terminal.wait_for(_END).end()
        terminal.line(_STOPPED)
        terminal.wait_for(r"lighthouse\.\n(\S+\s+){20}", after=asked)
        terminal.interrupt()
        stopped = terminal.wait_for(f"stopped · .*{_END}", after=asked).end()
        terminal.line(_LAST)
        terminal.wait_for(rf"tokens(.|\n)*{_END}", after=stopped)


def main() -> None:
    """Run it as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--svg", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    glass = PaintedGlass(COLUMNS)
    with tempfile.TemporaryDirectory(prefix="antiphon-picture-") as home:
        talk(glass, Path(home))
    arguments.svg.write_text(svg(glass.painted(), COLUMNS, "antiphon chat"))


if __name__ == "__main__":
    main()
