"""Lists that people read: tables whose columns go on in a second line where there is no room."""

import shutil
import sys
from collections.abc import Iterable, Sequence

import typer

from antiphon_server.cli.console import in_a_line

_A_LINE_EACH = 10_000
_INDENT = 4
_LONGEST = 40
"""More of somebody's text says no more, and leaves no room for the rest."""
_GAP = "  "


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, whole: bool = False
) -> None:
    """Print rows of anybody's text under their headings; nothing in them commands the terminal.

    What does not fit beside the first columns stands below them, whole: in a terminal of 80
    columns a row may take several lines. Without a terminal it is one line. Long cells are
    shortened in a terminal, but for those of a list that is copied from as a ``whole``.
    """
    shown = [[in_a_line(cell) for cell in row] for row in (headings, *rows)]
    width = _A_LINE_EACH
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        if not whole:
            shown = [list(map(_shortened, row)) for row in shown]
    widths = [max(map(_columns, column)) for column in zip(*shown, strict=True)]
    lines = _lines(widths, width)
    for number, row in enumerate(shown):
        for line in lines:
            text = _GAP.join(_padded(row[column], widths[column]) for column in line)
            indent = " " * _INDENT if line[0] else ""
            typer.secho(f"{indent}{text}".rstrip(), dim=not number)


def _lines(widths: Sequence[int], width: int) -> list[list[int]]:
    """The columns that stand in each line."""
    lines: list[list[int]] = [[]]
    used = 0
    for column, wide in enumerate(widths):
        used += wide + len(_GAP) * bool(lines[-1])
        if lines[-1] and used > width:
            lines.append([])
            used = _INDENT + wide
        lines[-1].append(column)
    return lines


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _shortened(text: str) -> str:
    from rich.cells import set_cell_size

    return text if _columns(text) <= _LONGEST else set_cell_size(text, _LONGEST - 1).rstrip() + "…"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))
