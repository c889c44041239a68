"""What a kind of rules is called, and what help says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from antiphon_server.cli.rules.kind import Kind


@dataclass(frozen=True, slots=True)
class About:
    """Rules of one kind: ``one`` and ``many`` in words and in files, set by ``command``.

    ``load`` gets how they are read and shown. ``none`` says how to have some. ``shown`` says what
    is shown of them, ``holds`` from when on they stand, ``behind`` what else is to be known then;
    ``why`` and ``why_not`` are comments of somebody who sets and restores them.
    """

    command: str
    one: str
    many: str
    load: "Callable[[], Kind[Any]]"
    none: str
    shown: str
    holds: str
    why: str
    why_not: str
    behind: str = ""

    @property
    def all(self) -> str:
        """What all of them are called."""
        return self.command.split()[-1]

    @property
    def file(self) -> Any:
        """The argument that names a file of them."""
        told = f"{self.many.capitalize()}, as `show --toml` prints them; - is the input."
        return typer.Argument(metavar="FILE", help=told)

    def examples(self, said: str, *commands: str) -> str:
        """The help of a command: what is said of it, and how it is written."""
        lines = (f"- `antiphon {self.command} {it}`" for it in commands)
        return "\n".join([said, "", "For example:", "", *lines])
