"""A terminal's text with its styles, as an SVG."""

import io
import re
from itertools import groupby
from operator import itemgetter

from rich.ansi import SGR_STYLE_MAP
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.cli.glass import Glass

_PLAIN = Style.null()
# Fonts that machines have: those of rich's own would be loaded from elsewhere.
_FONTS = "DejaVu Sans Mono, Menlo, Consolas, monospace"


class PaintedGlass(Glass):
    """Remembers in which style each character was written."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self._style = _PLAIN
        self._styles: dict[tuple[int, int], Style] = {}

    def painted(self) -> Text:
        """All that stands there."""
        text = Text()
        for row, line in enumerate(self.lines):
            cells = [(self._styles.get((row, at), _PLAIN), char) for at, char in enumerate(line)]
            for style, run in groupby(cells, key=itemgetter(0)):
                text.append("".join(char for _, char in run), style)
            text.append("\n")
        return text

    def _obey(self, command: str, count: int, parameters: str) -> None:
        if command == "m":
            for code in parameters.split(";"):
                self._turn_to(int(code or 0))
        super()._obey(command, count, parameters)

    def _turn_to(self, code: int) -> None:
        found = Style.parse(SGR_STYLE_MAP.get(code, ""))
        self._style = self._style + found if code else _PLAIN

    def _write(self, char: str) -> None:
        super()._write(char)
        self._styles[self._row, self._column - 1] = self._style


def svg(text: Text, columns: int, title: str) -> str:
    """The text in a terminal's window."""
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True)
    console.print(text, end="", soft_wrap=True)
    drawn = console.export_svg(title=title, unique_id="chat")
    drawn = re.sub(r"\s*@font-face \{.*?\}|\s*<!--.*?-->", "", drawn, flags=re.DOTALL)
    return re.sub(r"font-family: Fira Code, monospace", f"font-family: {_FONTS}", drawn)
