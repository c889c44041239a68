"""Typed settings from plain values: options, variables, JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class WrongSetting(ValueError):
    """A setting that can't be; the message names it and the rule."""


class Secret:
    """A text that is never shown by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"


def configured(values: Mapping[str, Any], kind: type[T]) -> T:
    """The settings that ``values`` hold; texts are read as numbers where those are due.

    Raises WrongSetting.
    """
    try:
        return msgspec.convert(dict(values), kind, strict=False, dec_hook=_read)
    except msgspec.ValidationError as error:
        raise WrongSetting(_plain(str(error))) from error


def from_environment(prefix: str, kind: type[T], environment: Mapping[str, str]) -> dict[str, Any]:
    """The variables that set fields of ``kind``: ``PREFIX_FIELD``; lists and records as JSON.

    Raises WrongSetting for one that is not JSON where it has to be.
    """
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        name = prefix + field.name.upper()
        if name in environment:
            found[field.name] = _parsed(name, environment[name])
    return found


def _parsed(name: str, text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise WrongSetting(f"{name}: not JSON: {error}") from error


def _read(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, (str, Path)):
        return Path(value).expanduser()
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")


def _plain(message: str) -> str:
    """Say the field first: msgspec puts its path at the end."""
    rule, _, path = message.partition(" - at `$.")
    return f"{path.rstrip('`')}: {rule}" if path else rule
