"""What commands print, and how they fail."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

Result = TypeVar("Result")


class CommandError(Exception):
    """An expected failure: a sentence that says what is wrong and what to do."""


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command with a sentence on stderr."""
    typer.secho(f"antiphon: {sentence}", fg="red", err=True)
    raise typer.Exit(code)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work; expected failures end in a sentence, not in a traceback."""
    from antiphon_client import AntiphonError
    from antiphon_server.cli.explain import explain

    try:
        return asyncio.run(work)
    except CommandError as error:
        fail(str(error))
    except AntiphonError as error:
        fail(explain(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:  # `antiphon … | head`
        sys.stderr.close()
        raise typer.Exit(0) from None
