"""What a command is told, read without pydantic.

Typer reads each option with it; a server would keep it for its life, 9 MB and a tenth of its start.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from typer.models import OptionInfo, ParamMeta
from typer.utils import get_params_from_function

_READ: Mapping[object, Callable[[str], object]] = {str: str, int: int, Path: Path}


class _NotPlain(Exception):
    """Typer is to read it, which has the words for what is wrong, and for help."""


def plainly(
    command: Callable[..., object], words: Sequence[str], environment: Mapping[str, str]
) -> dict[str, Any] | None:
    """The arguments that the words give to the command; None if typer is to read them."""
    known = get_params_from_function(command)
    found = {name: it.default.default for name, it in known.items()}
    try:
        found |= _of_environment(known, environment)
        found |= _told(known, words)
    except _NotPlain:
        return None
    return None if ... in found.values() else found


def _told(known: Mapping[str, ParamMeta], words: Sequence[str]) -> dict[str, Any]:
    flags = {flag: name for name, it in known.items() for flag in _flags(it)}
    lists = [name for name, it in known.items() if get_origin(it.annotation) is list]
    found: dict[str, Any] = {}
    waiting = iter(words)
    for word in waiting:
        flag, _, text = word.partition("=")
        if flag in flags:
            name = flags[flag]
            found[name] = _value(known[name], word, text, waiting)
        elif lists and not word.startswith("-"):
            found.setdefault(lists[0], []).append(word)
        else:
            raise _NotPlain
    return found


def _flags(parameter: ParamMeta) -> Sequence[str]:
    if not isinstance(parameter.default, OptionInfo):
        return ()
    return parameter.default.param_decls or (f"--{parameter.name.replace('_', '-')}",)


def _value(parameter: ParamMeta, word: str, text: str, waiting: Iterator[str]) -> Any:
    if bool in _kinds(parameter):
        if "=" in word:
            raise _NotPlain
        return True
    return _read(parameter, text if "=" in word else next(waiting, ""))


def _of_environment(
    known: Mapping[str, ParamMeta], environment: Mapping[str, str]
) -> dict[str, Any]:
    texts = {name: environment.get(it.default.envvar or "") for name, it in known.items()}
    return {name: _read(known[name], text) for name, text in texts.items() if text}


def _read(parameter: ParamMeta, text: str) -> object:
    """A value of the parameter's kind. Raises _NotPlain for one that has limits, or is odd."""
    read = next((_READ[kind] for kind in _kinds(parameter) if kind in _READ), None)
    limited = parameter.default.min is not None or parameter.default.max is not None
    number_is_odd = read is int and not (text.isascii() and text.isdecimal())
    if read is None or limited or number_is_odd or not text or text.startswith("-"):
        raise _NotPlain
    return read(text)


def _kinds(parameter: ParamMeta) -> Sequence[object]:
    return get_args(parameter.annotation) or (parameter.annotation,)
