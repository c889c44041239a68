"""What the commands about rules share."""

from dataclasses import dataclass
from typing import Annotated

import typer

from antiphon_server.cli.options import DataDir
from antiphon_server.cli.which_workspace import INSTALLATION

Where = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="ID",
        help="Those of this workspace, for its admins; else those of all, for operators.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Which, as `show` names it.")]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why, for the history.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose rules are asked for, of which server, and whether as JSON."""

    workspace: str
    json: bool
    address: str
    data_dir: DataDir

    @property
    def parent(self) -> str:
        """Whose they are, as the contract says it."""
        return self.workspace or INSTALLATION


def these(parent: str) -> str:
    """Whose they are, in words."""
    return "of all workspaces" if parent == INSTALLATION else f"of {parent}"
