"""Starting a server from a command: settings in, and why it did not start out."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from antiphon_server.cli.console import aside, fail
from antiphon_server.cli.env_file import FILE, take_env_file

if TYPE_CHECKING:
    from antiphon_server.settings import Settings

Work = Callable[["Settings"], AbstractContextManager[Coroutine[Any, Any, None]]]


def start(given: dict[str, Any], work: Work, *, quiet: bool = False) -> None:
    """Run a server with the settings that were ``given`` and those of the environment.

    Ends the command with a sentence that says what to do if it does not start.
    """
    from antiphon_server.runtime.process.memory import collect_later

    collect_later()
    taken = take_env_file(Path.cwd(), os.environ)
    if taken and not quiet:
        aside(f"· of {FILE}: {', '.join(taken)}")
    from antiphon_server.runtime.configuration import WrongSetting
    from antiphon_server.settings import read_settings

    try:
        settings = read_settings(**given)
    except WrongSetting as error:
        fail(str(error), 2)
    try:
        if sys.stderr.isatty() and not quiet:  # somebody waits for what takes seconds
            aside("· starting")
        with work(settings) as coroutine:
            asyncio.run(coroutine)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        from antiphon_server.cli.start_failures import code_of, why_not

        sentence = why_not(error, settings)
        if sentence is None:
            raise
        fail(sentence, code_of(error))
