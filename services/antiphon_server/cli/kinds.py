"""Values of the contract's enums, as people name them."""

from collections.abc import Iterable
from typing import Any, TypeVar

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


def name_of(values: Any, prefix: str, number: int) -> str:
    """What people call a value of an enum; one of a newer server's has its number alone."""
    try:
        name: str = values.Name(number)
    except ValueError:
        return f"unknown {number}"
    return name.removeprefix(prefix).lower()
