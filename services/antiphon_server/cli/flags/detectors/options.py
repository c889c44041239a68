"""What the commands about detectors share."""

from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="NAME", help="Which, as `show` names it.")]
File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="Detectors, as `show --toml` prints them; - is the input."),
]
