"""Secrets that people type: never shown, and not taken from argv, which others can read."""

import os
import sys
from collections.abc import Callable

import typer

from antiphon_server.cli.console import fail

NEW_PASSWORD = "ANTIPHON_NEW_PASSWORD"
OLD_PASSWORD = "ANTIPHON_PASSWORD"
RESET_TOKEN = "ANTIPHON_RESET_TOKEN"


_LEAST = 12


def secret(
    question: str,
    variable: str,
    *,
    twice: bool = False,
    accepted: Callable[[str], str] = str,
) -> str:
    """What somebody types unseen, or what the variable of the environment has.

    It is asked for again while ``accepted`` raises typer.BadParameter.
    """
    if given := os.environ.get(variable):
        return given
    if not sys.stdin.isatty():
        fail(f"no terminal to ask on: give it as {variable}", 2)
    return str(
        typer.prompt(question, hide_input=True, confirmation_prompt=twice, value_proc=accepted)
    )


def new_password() -> str:
    """Ask for a new password, twice, without showing it."""
    question = f"New password, at least {_LEAST} characters"
    return secret(question, NEW_PASSWORD, twice=True, accepted=_long_enough)


def _long_enough(password: str) -> str:
    if len(password) < _LEAST:
        raise typer.BadParameter("too short")
    return password
