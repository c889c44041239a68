"""What commands print, and how they fail."""

import asyncio
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from antiphon_server.runtime.encoding.lines import CONTROLS, in_one_line

Result = TypeVar("Result")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KEPT = {ord("\n"), ord("\t")}
_OVERRIDES = {0x202D, 0x202E}  # right-to-left text in many lines may need the other marks
_UNPRINTABLE = dict.fromkeys((CONTROLS | _OVERRIDES) - _KEPT)
_HELD = "\x00"
"""Stands for a blank at which no line ends."""
_UNESCAPED = re.compile("[\x7f-\x9f]")


class CommandError(Exception):
    """An expected failure. Its message says what is wrong and what to do.

    ``main`` prints it, wherever a command raises it.
    """


def printable(text: str) -> str:
    """Text without the characters by which it could command the terminal, or read backwards."""
    return text.translate(_UNPRINTABLE)


def in_a_line(text: str) -> str:
    """Escape text so that it stays within its line and sends no control codes."""
    return in_one_line(text)


def in_a_cell(text: str) -> str:
    """Text of CSV that no spreadsheet takes for a formula, whoever chose it.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{line}" if (line := in_a_line(text)).startswith(_FORMULA) else line


def shortened(text: str, most: int) -> str:
    """The beginning of somebody's text, in a line of so many characters at most."""
    line = in_a_line(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def folded(text: str, width: int, indent: str = "") -> str:
    """Text in lines of a width; neither a word nor a command in backticks is broken."""
    unbroken = re.sub("`[^`\\n]*`", lambda found: found[0].replace(" ", _HELD), text)
    lines = (_folded(line, width, indent) for line in unbroken.split("\n"))
    return "\n".join(lines).replace(_HELD, " ")


def _folded(line: str, width: int, indent: str) -> str:
    room = width - max(map(len, line.split(" ")))
    if len(line) <= width or room < 0:
        return line  # a page's address is copied as a whole
    options: Any = {"break_long_words": False, "break_on_hyphens": False}
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=indent[:room], **options))


def say(
    text: str, *, colour: str | None = None, err: bool = False, mark: str = "", indent: str = ""
) -> None:
    """Print text from any source, safely. Lines after the first are indented by ``indent``.

    ``colour`` applies to the ``mark`` in front, or to the whole text if there is no mark.
    """
    text = _fitting(printable(mark + text), err=err, indent=indent)
    coloured = len(mark) or len(text)
    shown = typer.style(text[:coloured], fg=colour) if colour else text[:coloured]
    typer.echo(shown + text[coloured:], err=err)


def aside(text: str) -> None:
    """Print something on stderr that is not part of the result."""
    typer.secho(_fitting(printable(text), err=True), dim=True, err=True)


def _fitting(text: str, *, err: bool, indent: str = "") -> str:
    """Text as it fits into the terminal, if it goes to one."""
    if not (sys.stderr if err else sys.stdout).isatty():
        return text
    return folded(text, shutil.get_terminal_size().columns, indent)


def as_typed(hint: str) -> str:
    """A sentence with the commands in backticks as they are typed here: in a checkout by uv.

    https://docs.astral.sh/uv/reference/environment/ (UV)
    """
    in_checkout = (Path(__file__).parents[3] / "pyproject.toml").is_file()
    by_uv = in_checkout and "UV" in os.environ
    return hint.replace("`antiphon ", "`uv run antiphon ") if by_uv else hint


def complain(sentence: str) -> None:
    """Say on stderr what is wrong."""
    say(f"antiphon: {as_typed(sentence)}", colour="red", err=True)


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command with a message on stderr."""
    complain(sentence)
    raise typer.Exit(code)


def print_json(value: dict[str, Any]) -> None:
    """Print one line of JSON.

    DEL and C1 control characters are escaped: JSON allows them, but a terminal would obey them.
    """
    text = json.dumps(value, ensure_ascii=False)
    sys.stdout.write(_UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's coroutine. A refusal by the server becomes a CommandError."""
    try:
        return _run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        work.close()  # it may not have begun


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.explain import explain
    from antiphon_server.cli.options import told_address

    try:
        return asyncio.run(work)
    except AntiphonError as error:
        raise CommandError(explain(error, told_address.get())) from None
    except BrokenPipeError:  # `antiphon … | head`
        sys.stderr.close()
        raise typer.Exit(0) from None
