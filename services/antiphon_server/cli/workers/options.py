"""What the commands about workers share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from antiphon_server.cli.console import CommandError
from antiphon_server.cli.which_workspace import INSTALLATION

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


@contextmanager
def asking_for(workspace: str) -> Iterator[None]:
    """What is refused of all workspaces may be allowed of one's own. Raises CommandError."""
    from antiphon_client import AntiphonError

    try:
        yield
    except AntiphonError as error:
        if workspace or error.reason != "PERMISSION_DENIED":
            raise
        raise CommandError(
            "only operators may do this for all workspaces: say which one is meant, as "
            "--workspace ws_…"
        ) from None
