"""Rules as files of TOML have them: the contract's own field names, and short ones of values."""

import json
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from antiphon_server.cli.console import fail, in_a_line
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.rules.kind import Kind, M
from antiphon_server.cli.rules.shape import fault_of
from antiphon_server.cli.rules.spelling import in_full, in_short

_BARE = re.compile("[A-Za-z0-9_-]+")


def read_rules(kind: Kind[M], path: str) -> list[M]:
    """The rules of a file, of the input for "-"; what is wrong with them ends the command."""
    path, given = called(path), path
    many = kind.about.many
    write = f"write [[{many}]] for each {kind.about.one}, or {many} = [] to take all away"
    try:
        data = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
        found = tomllib.loads(data.decode())
    except OSError as error:
        fail(in_a_line(f"{path}: {error.strerror}"), 2)
    except ValueError as error:
        fail(in_a_line(f"{path} is no TOML: {error}"), 2)
    if unknown := next((it for it in found if it != many), None):
        fail(in_a_line(f"{path}: there is no {unknown} in it, only {many}: {write}"), 2)
    rules = found.get(many)
    if not isinstance(rules, list):
        fail(in_a_line(f"{path} has no list of {many}: {write}"), 2)
    return [_rule(kind, path, at, it) for at, it in enumerate(rules)]


def called(path: str) -> str:
    """What a file is called in sentences."""
    return "the input" if path == "-" else path


def written(kind: Kind[M], said: str, rules: Sequence[M]) -> str:
    """The rules as a file, whose first line is what is ``said`` of them."""
    if not rules:
        return f"{said}\n\n{kind.about.many} = []\n"
    return "\n\n".join([said, *(_block(kind, it) for it in rules)]) + "\n"


def _rule(kind: Kind[M], path: str, at: int, told: Any) -> M:
    place = kind.place(at, told.get("name") if isinstance(told, dict) else "")
    where, descriptor = f"{path}: {place}", kind.descriptor
    if fault := fault_of(descriptor, told, owner=f"a {kind.about.one}"):
        fail(in_a_line(f"{where}: {fault}"), 2)
    try:
        return ParseDict(in_full(descriptor, told), kind.message())
    except ParseError as error:  # a number that is too large
        fail(in_a_line(f"{where}: {error}"), 2)


def _block(kind: Kind[M], rule: M) -> str:
    told = in_short(kind.descriptor, as_dict(rule))
    lines = (f"{key} = {_value(value)}" for key, value in told.items())
    return "\n".join([f"[[{kind.about.many}]]", *lines])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return _table(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _string(value) if isinstance(value, str) else repr(value)


def _table(value: dict[str, Any]) -> str:
    """In one line, as TOML 1.0 has it."""
    pairs = (f"{_key(key)} = {_value(each)}" for key, each in value.items())
    return f"{{ {', '.join(pairs)} }}" if value else "{}"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    r"""As it stands where it has a backslash, which patterns have: '\d' rather than "\\d"."""
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
