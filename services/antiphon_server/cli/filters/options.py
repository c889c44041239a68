"""What the commands about filters share."""

from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="NAME", help="Which, as `show` names it.")]
File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="Filters, as `show --toml` prints them; - is the input."),
]
