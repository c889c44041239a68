"""What the commands about workers share."""

from typing import Annotated

import typer

from antiphon_server.cli.workspaces import INSTALLATION

Handler = Annotated[
    str, typer.Argument(metavar="HANDLER", help="What people ask for: small letters, digits, -.")
]
Where = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="ID",
        help="Of this workspace alone, for its admins; else of all, for operators.",
    ),
]


def parent_of(workspace: str) -> str:
    """Whose handlers are meant."""
    return workspace or INSTALLATION


def there(workspace: str) -> str:
    """The same in words."""
    return f"in {workspace}" if workspace else "in all workspaces"
