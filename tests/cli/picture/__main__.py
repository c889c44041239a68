"""``python -m tests.cli.picture --gguf FILE``: a real chat in a terminal, drawn.

Its first answer calls a tool, which the small model hardly does: so the model is that of the file.
The second answer is stopped with Ctrl-C.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tests.cli.conftest import Home
from tests.cli.picture.painted import PaintedGlass, svg
from tests.cli.terminal import Terminal
from tests.repository.files import ROOT

PICTURE = ROOT / "docs" / "images" / "chat.svg"
COLUMNS = 80
NAME = "local/qwen2.5-1.5b"
_QUESTION, _STOPPED, _LAST = (
    "What time is it in Tokyo?",
    "Explain in detail how a lighthouse works.",
    "What is the capital of France?",
)
_END = r" s\n\n>$"


def talk(glass: PaintedGlass, home: Path, gguf: Path) -> None:
    """Ask, stop an answer, and go on."""
    model = {"name": NAME, "kind": "local", "gguf": str(gguf.resolve())}
    variables = {
        **Home(home).environment,
        "ANTIPHON_MODELS": json.dumps([model]),
        "ANTIPHON_MODEL": NAME,
        "NO_COLOR": "",
        "TERM": "xterm-256color",
    }
    command = ["chat", "--tool", "antiphon.time"]
    glass.feed(f"$ antiphon {' '.join(command)}\r\n")
    with Terminal(command, variables, COLUMNS, glass) as terminal:
        terminal.wait_for(">$")
        terminal.line(_QUESTION)
        asked = terminal.wait_for(_END).end()
        terminal.line(_STOPPED)
        terminal.wait_for(r"works\.\n(\S+\s+){20}", after=asked)
        terminal.interrupt()
        stopped = terminal.wait_for(f"stopped · .*{_END}", after=asked).end()
        terminal.line(_LAST)
        terminal.wait_for(rf"tokens(.|\n)*{_END}", after=stopped)


def main() -> None:
    """Run it as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", type=Path, required=True, help="the model's file")
    parser.add_argument("--svg", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    glass = PaintedGlass(COLUMNS)
    with tempfile.TemporaryDirectory(prefix="antiphon-picture-") as home:
        talk(glass, Path(home), arguments.gguf)
    arguments.svg.write_text(svg(glass.painted(), COLUMNS, "antiphon chat"))


if __name__ == "__main__":
    main()
