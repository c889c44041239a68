"""What a terminal shows: text, cursor, and the few sequences that are used here."""

import re

_SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\x1b[=>]|(.)", re.DOTALL)
_PENDING = re.compile(r"\x1b(\[[?\d;]*)?$")


class Glass:
    """A terminal as wide as ``width`` and as long as it takes."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        """What stands there, without blanks at the ends of lines."""
        return ["".join(line).rstrip() for line in self._lines]

    def feed(self, text: str) -> None:
        """Show some output; a sequence may come in two pieces."""
        text = self._rest + text
        pending = _PENDING.search(text)
        self._rest = pending[0] if pending else ""
        for match in _SEQUENCE.finditer(text.removesuffix(self._rest)):
            if match[3]:
                self._put(match[3])
            elif match[2]:
                self._obey(match[2], int(match[1] or 1) if match[1].isdigit() else 1, match[1])

    def _obey(self, command: str, count: int, parameters: str) -> None:
        match command:
            case "K" if not parameters:
                del self._lines[self._row][self._column :]
            case "J" if not parameters:
                del self._lines[self._row][self._column :], self._lines[self._row + 1 :]
            case "A":
                self._row = max(0, self._row - count)
            case "C":
                self._column += count
            case "D":
                self._column -= count
            case "G":
                self._column = count - 1
            case "m" | "h" | "l":
                pass
            case _:
                raise AssertionError(f"an unknown sequence: {parameters}{command}")

    def _put(self, char: str) -> None:
        match char:
            case "\n":
                self._row += 1
                if self._row == len(self._lines):
                    self._lines.append([])
            case "\r":
                self._column = 0
            case "\b":
                self._column -= 1
            case "\a":
                pass
            case _:
                self._write(char)

    def _write(self, char: str) -> None:
        if self._column == self._width:
            self._put("\n")
            self._column = 0
        line = self._lines[self._row]
        line.extend(" " * (self._column + 1 - len(line)))
        line[self._column] = char
        self._column += 1
