"""What the commands about flags share."""

from typing import Annotated

import typer

Which = Annotated[str, typer.Argument(metavar="FLAG", help="Which, as `list` shows it: flag_…")]
