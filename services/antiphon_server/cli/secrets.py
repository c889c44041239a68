"""Secrets that people type: never shown, and not taken from argv, which others can read."""

import os
import sys

import typer

from antiphon_server.cli.console import fail

NEW_PASSWORD = "ANTIPHON_NEW_PASSWORD"
OLD_PASSWORD = "ANTIPHON_PASSWORD"
RESET_TOKEN = "ANTIPHON_RESET_TOKEN"


def secret(question: str, variable: str, *, twice: bool = False) -> str:
    """What somebody types unseen, or what the variable of the environment has."""
    if given := os.environ.get(variable):
        return given
    if not sys.stdin.isatty():
        fail(f"no terminal to ask on: give it as {variable}", 2)
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=twice))


def new_password() -> str:
    """A password that shall be set."""
    return secret("New password, at least 12 characters", NEW_PASSWORD, twice=True)
