"""Rules of routes as files of TOML have them: the contract's own field names."""

import json
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from antiphon.dispatcher.v1.route_pb2 import RouteRule, Routes
from antiphon_server.cli.console import fail, in_a_line
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.routes.options import these
from antiphon_server.cli.routes.shape import fault_of

_RULES = "rules"
_WRITE = "write [[rules]] for each rule, or rules = [] to take all away"
_BARE = re.compile("[A-Za-z0-9_-]+")


def read_rules(path: str) -> list[RouteRule]:
    """The rules of a file, of the input for "-"; what is wrong with them ends the command."""
    path, given = called(path), path
    try:
        data = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
        found = tomllib.loads(data.decode())
    except OSError as error:
        fail(in_a_line(f"{path}: {error.strerror}"), 2)
    except ValueError as error:
        fail(in_a_line(f"{path} is no TOML: {error}"), 2)
    if unknown := next((it for it in found if it != _RULES), None):
        fail(in_a_line(f"{path}: there is no {unknown} in it, only rules: {_WRITE}"), 2)
    rules = found.get(_RULES)
    if not isinstance(rules, list):
        fail(in_a_line(f"{path} has no list of rules: {_WRITE}"), 2)
    return [_rule(path, at, it) for at, it in enumerate(rules)]


def called(path: str) -> str:
    """What a file is called in sentences."""
    return "the input" if path == "-" else path


def place(at: int, name: object) -> str:
    """Which rule is meant, the first being 0."""
    return f"rule {at + 1} ({name})" if name and isinstance(name, str) else f"rule {at + 1}"


def written(routes: Routes) -> str:
    """The rules as a file that `set` takes."""
    said = f"# Routes {these(routes.parent)}, revision {routes.revision}."
    if not routes.rules:
        return f"{said}\n\nrules = []\n"
    return "\n\n".join([said, *map(_block, routes.rules)]) + "\n"


def _rule(path: str, at: int, told: Any) -> RouteRule:
    where = f"{path}: {place(at, told.get('name') if isinstance(told, dict) else '')}"
    if fault := fault_of(RouteRule.DESCRIPTOR, told):
        fail(in_a_line(f"{where}: {fault}"), 2)
    try:
        return ParseDict(told, RouteRule())
    except ParseError as error:  # a number that is too large
        fail(in_a_line(f"{where}: {error}"), 2)


def _block(rule: RouteRule) -> str:
    lines = (f"{key} = {_value(value)}" for key, value in as_dict(rule).items())
    return "\n".join(["[[rules]]", *lines])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return _table(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_value, value))}]"
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
