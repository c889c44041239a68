"""Parameters of operations: what they are called as arguments, and how they are sent."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from antiphon_server.integration.connections.rest.documents import (
    is_swagger,
    mapping,
    resolved,
    sequence,
    text_of,
)
from antiphon_server.integration.connections.rest.model import Parameter, Where
from antiphon_server.integration.connections.rest.naming import Names

MOST_PARAMETERS = 200
LONGEST_WORDS = 16 * 1024
"""Characters of a description; less is shown."""
MOST_KEYWORDS = 100
"""A schema that says more is not written anew."""
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
KEY = "idempotency-key"
OURS = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"}
    | {"cookie", "expect", "forwarded", "host", "keep-alive", "proxy-authorization", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "user-agent", KEY}
)
"""Headers that no argument sets."""
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_WHERE: Mapping[str, Where] = {"path": "path", "query": "query", "header": "header"}
_SEPARATORS = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|", "multi": ""}
_STYLES = {
    "form": ",",
    "simple": ",",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
    "deepObject": "",
}


class Unsupported(Exception):
    """An operation that can't be called as its document says."""


Given = dict[tuple[str, str], dict[str, Any]]
"""Parameters by where they are and what they are called there."""


def given(document: Mapping[str, Any], path: str, *lists: Any) -> Given:
    """All of an operation: later lists replace what earlier ones say, and no part of the path
    is left open. Raises Unsupported.
    """
    found: Given = {}
    for each in lists:
        told = sequence(each)
        if len(told) > MOST_PARAMETERS:
            raise Unsupported("it has too many parameters")
        for it in told:
            one = resolved(document, it)
            found[text_of(one.get("in")), text_of(one.get("name"))] = one
    named = dict.fromkeys(PLACEHOLDER.findall(path))
    for name in named:
        found.setdefault(("path", name), {"type": "string", "schema": {"type": "string"}})
    return {
        (where, name): it for (where, name), it in found.items() if where != "path" or name in named
    }


def arguments(
    document: Mapping[str, Any], told: Given, names: Names, signed: Collection[str]
) -> tuple[tuple[Parameter, ...], dict[str, Any], list[str]]:
    """The parameters, the schemas of their arguments, and which of these are required.

    Headers in ``signed`` are set by the connection's credential. Raises Unsupported.
    """
    found: list[Parameter] = []
    schemas: dict[str, Any] = {}
    required: list[str] = []
    for (where, name), it in told.items():
        if where == "cookie" and it.get("required") is True:
            raise Unsupported("it needs a cookie")
        if where not in _WHERE or (where == "header" and not _settable(name, signed)):
            continue
        argument = names.new(name, f"{where}_{name}")
        found.append(_parameter(is_swagger(document), it, argument, name, _WHERE[where]))
        schemas[argument] = schema_of(it)
        if where == "path" or it.get("required") is True:
            required.append(argument)
    return tuple(found), schemas, required


def schema_of(it: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, with what is said of it."""
    schema = it.get("schema")
    if not isinstance(schema, dict):
        content = next(iter(mapping(it.get("content")).values()), None)
        schema = mapping(mapping(content).get("schema")) if content else dict(it)
    words = text_of(it.get("description"))[:LONGEST_WORDS]
    if not words or "description" in schema or len(schema) > MOST_KEYWORDS:
        return schema
    if "$ref" in schema:
        return {"allOf": [schema], "description": words}
    return {**schema, "description": words}


def _settable(name: str, signed: Collection[str]) -> bool:
    small = name.lower()
    return bool(_TOKEN.fullmatch(name)) and small not in OURS and small not in signed


def _parameter(
    swagger: bool, it: Mapping[str, Any], argument: str, name: str, where: Where
) -> Parameter:
    if swagger and "style" not in it:
        separator = _SEPARATORS.get(text_of(it.get("collectionFormat")), ",")
        return Parameter(argument, name, where, separator)
    if it.get("content"):
        return Parameter(argument, name, where, as_json=True)
    style = text_of(it.get("style")) or ("form" if where == "query" else "simple")
    if style not in _STYLES:
        raise Unsupported("it sends a parameter in a way that is not known")
    exploded = it.get("explode", style == "form") is True
    separator = "" if exploded and where == "query" else _STYLES[style]
    deep = style == "deepObject"
    return Parameter(argument, name, where, separator, exploded, deep)
