"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

CA_VARIABLE = "ANTIPHON_CA"
Address = Annotated[
    str,
    typer.Option(
        "--address",
        "-a",
        envvar="ANTIPHON_ADDRESS",
        metavar="HOST:PORT",
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
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
