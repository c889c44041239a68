"""What the commands about routes share."""

from typing import Annotated

import typer

from antiphon_server.cli.workspaces import INSTALLATION

Where = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="ID",
        help="Those of this workspace, for its admins; else those of all, for operators.",
    ),
]
File = Annotated[
    str, typer.Argument(metavar="FILE", help="Rules, as `show --toml` prints them; - is the input.")
]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why, for the history.")]


def these(parent: str) -> str:
    """Whose they are, in words."""
    return "of all workspaces" if parent == INSTALLATION else f"of {parent}"
