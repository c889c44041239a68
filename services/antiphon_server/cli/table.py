"""Lists as tables that people read."""

import sys
from collections.abc import Iterable, Sequence

from antiphon_server.cli.console import in_a_line

_A_LINE_EACH = 1_000


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of anybody's text under their headings; nothing in them commands the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=number == 0)  # ids are copied
    for row in rows:
        table.add_row(*(Text(in_a_line(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _A_LINE_EACH
    Console(highlight=False, width=width).print(table)
