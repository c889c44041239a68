"""What commands print, and how they fail."""

import asyncio
import json
import re
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

Result = TypeVar("Result")

_CONTROLS = {*range(0x20), *range(0x7F, 0xA0)}
_KEPT = {ord("\n"), ord("\t")}
_UNPRINTABLE = dict.fromkeys(_CONTROLS - _KEPT)
_IN_A_LINE = dict.fromkeys(_CONTROLS, " ")
_UNESCAPED = re.compile("[\x7f-\x9f]")


class CommandError(Exception):
    """An expected failure: a sentence that says what is wrong and what to do."""


def printable(text: str) -> str:
    """Text without the control characters by which it could command the terminal."""
    return text.translate(_UNPRINTABLE)


def in_a_line(text: str) -> str:
    """Somebody's text as a part of a line: it begins no other one, and commands nothing."""
    return printable(text.translate(_IN_A_LINE))


def say(text: str, *, colour: str | None = None, err: bool = False, nl: bool = True) -> None:
    """Print text, whoever wrote it."""
    text = printable(text)
    typer.echo(typer.style(text, fg=colour) if colour else text, err=err, nl=nl)


def aside(text: str) -> None:
    """Print on stderr what is no part of the answer."""
    typer.secho(printable(text), dim=True, err=True)


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command with a sentence on stderr."""
    say(f"antiphon: {sentence}", colour="red", err=True)
    raise typer.Exit(code)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON line. JSON may hold DEL and C1 as they are; a terminal would obey."""
    text = json.dumps(value, ensure_ascii=False)
    sys.stdout.write(_UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; expected failures end in a sentence, not in a traceback."""
    from antiphon_client import AntiphonError
    from antiphon_server.cli.explain import explain
    from antiphon_server.cli.options import told_address

    try:
        return asyncio.run(work)
    except CommandError as error:
        fail(str(error))
    except AntiphonError as error:
        fail(explain(error, told_address.get()))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:  # `antiphon … | head`
        sys.stderr.close()
        raise typer.Exit(0) from None
