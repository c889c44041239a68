"""Kinds of events, as people name them."""

from collections.abc import Iterable
from typing import TypeVar

from antiphon_server.cli.console import CommandError

T = TypeVar("T")


def named(values: Iterable[tuple[str, T]], prefix: str, names: str) -> list[T]:
    """The values of an enum by their names without its prefix, separated by commas.

    Raises CommandError for unknown ones.
    """
    known = {name.removeprefix(prefix).lower(): value for name, value in values}
    known.pop("unspecified")
    wanted = [name.strip().lower() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise CommandError(
                f"there is no kind {name!r}; the kinds are {', '.join(sorted(known))}."
            )
    return [known[name] for name in wanted]
