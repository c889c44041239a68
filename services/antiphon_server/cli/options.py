"""Options that several commands have."""

from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

CA_VARIABLE = "ANTIPHON_CA"
KEY_VARIABLE = "ANTIPHON_API_KEY"
told_address: ContextVar[str] = ContextVar("told_address", default="")
"""The address that the command was given, for sentences that say how to sign in there."""


def _note(address: str) -> str:
    told_address.set(address)
    return address


Address = Annotated[
    str,
    typer.Option(
        "--address",
        "-a",
        envvar="ANTIPHON_ADDRESS",
        metavar="HOST:PORT",
        callback=_note,
        help="The server; `https://host:port` for TLS. Default: the one on this machine.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="ANTIPHON_DATA_DIR",
        metavar="FOLDER",
        help="Where the local server keeps its data, and the key to it.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Which, as `list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
