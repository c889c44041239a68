"""Starting a server from a command: settings in, and why it did not start out."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from antiphon_server.cli.console import CommandError, aside, fail
from antiphon_server.cli.env_file import FILE, take_env_file

if TYPE_CHECKING:
    from antiphon_server.settings import Settings

log = logging.getLogger(__name__)
Work = Callable[["Settings"], AbstractContextManager[Coroutine[Any, Any, None]]]


def start(given: dict[str, Any], work: Work, *, quiet: bool = False) -> None:
    """Run a server with the settings that were ``given`` and those of the environment.

    Ends the command with a sentence that says what to do if it does not start.
    """
    from antiphon_server.runtime.process.memory import collect_later

    collect_later()
    from antiphon_server.runtime.configuration import WrongSetting
    from antiphon_server.settings import read_settings

    try:
        taken = take_env_file(Path.cwd(), os.environ)
        settings = read_settings(**given)
    except (CommandError, WrongSetting) as error:
        _end(str(error), 2, as_json=_json_is_wanted(given) and not quiet)
    try:
        if taken and settings.log_format != "json" and not quiet:
            aside(f"· of {FILE}: {', '.join(taken)}")
        if sys.stderr.isatty() and not quiet:  # somebody waits for what takes seconds
            aside("· starting")
        with work(settings) as coroutine:
            asyncio.run(coroutine)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        from antiphon_server.cli.start_failures import code_of, why_not

        as_json = settings.log_format == "json" and not quiet
        sentence = why_not(error, settings)
        if sentence is not None:
            _end(sentence, code_of(error), as_json=as_json)
        if not as_json:
            raise
        _log_as_json("the server has a defect", error)
        raise typer.Exit(1) from None


def _end(sentence: str, code: int, *, as_json: bool) -> NoReturn:
    """As any other command, or as one more line of the log; a parent shows it to people."""
    if not as_json:
        fail(sentence, code)
    _log_as_json(sentence)
    raise typer.Exit(code)


def _log_as_json(sentence: str, error: Exception | None = None) -> None:
    from antiphon_server.runtime.telemetry.logs import configure_logging

    configure_logging(log_format="json")  # it may not have come to that
    log.critical("%s", sentence, exc_info=error)


def _json_is_wanted(given: dict[str, Any]) -> bool:
    """Whether logs are to be JSON, of settings that can't be read as a whole."""
    from antiphon_server.settings import PREFIX

    return given.get("log_format", os.environ.get(f"{PREFIX}LOG_FORMAT")) == "json"
