"""Typed settings from plain values: options, variables, JSON."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T")

_NAME = re.compile(r"[\w.-]+", re.ASCII)
_NO_CHOICE = "Invalid enum value "
_PLAINER = (
    (re.compile(r"Expected `(?:int|float)` <= (\S+)"), r"it may be \1 at most"),
    (re.compile(r"Expected `(?:int|float)` >= (\S+)"), r"it must be \1 at least"),
    (re.compile(r"Expected `int(?: \| null)?`, got `str`"), "it must be a whole number"),
    (re.compile(r"Expected `float(?: \| null)?`, got `str`"), "it must be a number"),
    (re.compile(r"Expected `bool`, got `str`"), "it must be true or false"),
)


class WrongSetting(ValueError):
    """An invalid setting. The message names the setting and the rule it breaks."""


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
    """Build settings from ``values``; strings are converted to numbers where needed.

    Raises WrongSetting.
    """
    try:
        return msgspec.convert(dict(values), kind, strict=False, dec_hook=_read)
    except msgspec.ValidationError as error:
        raise WrongSetting(_plain(str(error), kind)) from error


def host_and_port(setting: str, text: str) -> tuple[str, int]:
    """What ``host:port`` says, or ``[host]:port``. Raises WrongSetting, which names the setting."""
    host, _, port = text.rpartition(":")
    if not _is_host(host) or not port.isdecimal() or int(port) > 65535:
        raise WrongSetting(f"{setting}: '{text}' is no address: it must be host:port")
    return host.strip("[]"), int(port)


def _is_host(text: str) -> bool:
    """A name, an IPv4 address, or an IPv6 address in brackets."""
    if not text.startswith("["):
        return _NAME.fullmatch(text) is not None
    with suppress(ValueError):
        return text.endswith("]") and bool(ipaddress.IPv6Address(text[1:-1]))
    return False


def from_environment(prefix: str, kind: type[T], environment: Mapping[str, str]) -> dict[str, Any]:
    """The variables that set fields of ``kind``: ``PREFIX_FIELD``; lists and records as JSON.

    Raises WrongSetting for one that is not JSON where it has to be.
    """
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        name = prefix + field.name.upper()
        if name in environment:
            found[field.name] = _parsed(name, environment[name], field.type)
    return found


def _parsed(name: str, text: str, kind: Any) -> Any:
    if text[:1] not in ("[", "{"):
        if get_origin(kind) is tuple:
            raise WrongSetting(f"{name}: not JSON: it must be a list, [...]")
        return text
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise WrongSetting(f"{name}: not JSON: {error}") from error
    if get_origin(kind) is tuple and not isinstance(found, list):
        raise WrongSetting(f"{name}: it must be a list, [...]")
    return found


def _read(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, (str, Path)):
        return Path(value).expanduser()
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")


def _plain(message: str, kind: Any) -> str:
    """Say the field first: msgspec puts its path at the end."""
    rule, _, path = message.partition(" - at `$.")
    path = path.rstrip("`")
    for pattern, words in _PLAINER:
        rule = pattern.sub(words, rule)
    if rule.startswith(_NO_CHOICE):
        wrong = rule.removeprefix(_NO_CHOICE)
        rule = f"there is no {wrong}; it may be {', '.join(_choices(kind, path))}"
    return f"{path}: {rule}" if path else rule


def _choices(kind: Any, path: str) -> Iterator[str]:
    """What a field may be that has but a few values, however deep it lies."""
    for name in filter(None, re.sub(r"\[[^]]*\]", "", path).split(".")):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.name == name)
        while get_origin(kind) in (tuple, frozenset):
            kind = get_args(kind)[0]
    yield from map(str, get_args(kind))
