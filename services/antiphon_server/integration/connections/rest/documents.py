"""OpenAPI documents as they are read: JSON and YAML, bounded, and nothing fetched for them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from antiphon_server.integration.connections.rest.yaml_events import read_yaml
from antiphon_server.runtime.errors import DomainError, Reason, invalid

MAX_DOCUMENT = 16 * 1024 * 1024
MAX_YAML = 4 * 1024 * 1024
"""YAML takes twenty times as long as JSON."""
MOST_HOPS = 16
"""Of references that lead to references."""
LONGEST_REFERENCE = 2_000
MOST_OPERATIONS = 10_000
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
FIELD = "connection.openapi"
_VERSION = re.compile(r"3\.[0-9]+(\.[0-9]+.*)?")


def read(text: bytes) -> dict[str, Any]:
    """Read a document. Raises DomainError LIMIT_EXCEEDED, INVALID_ARGUMENT."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    is_json = text.lstrip()[:1] == b"{"
    most = MAX_DOCUMENT if is_json else MAX_YAML
    if len(text) > most:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{most} bytes of an OpenAPI document")
    try:
        found = msgspec.json.decode(text) if is_json else read_yaml(text)
    except (ValueError, RecursionError):
        raise invalid(FIELD, "a document in JSON or YAML") from None
    if not isinstance(found, dict) or not _known(found):
        raise invalid(FIELD, "a document of OpenAPI 3 or Swagger 2.0")
    if sum(1 for _ in operations(found)) > MOST_OPERATIONS:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OPERATIONS} operations")
    return found


def is_swagger(document: Mapping[str, Any]) -> bool:
    """Whether it is of version 2.0, which was named otherwise."""
    return "swagger" in document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path, and the path's item that has the operation; ends behind the most there may be.

    TRACE has no answer for whoever asks through others, and is left out.
    """
    count = 0
    for path, given in mapping(document.get("paths")).items():
        item = resolved(document, given)
        for method in METHODS:
            if isinstance(item.get(method), dict):
                yield method, path, item
                count += 1
        if count > MOST_OPERATIONS:
            return


def mapping(value: Any) -> dict[str, Any]:
    """An object; an empty one in place of what is none."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """A list; an empty one in place of what is none."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A text; an empty one in place of what is none."""
    return value if isinstance(value, str) else ""


def resolved(document: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """The object that is meant; an empty one if the reference leads out of the document."""
    for _ in range(MOST_HOPS):
        found = mapping(value)
        if not isinstance(found.get("$ref"), str):
            return found
        value = pointed(document, found["$ref"])
    return {}


def pointed(document: Mapping[str, Any], reference: str) -> Any:
    """What a local reference (RFC 6901) points at; None if it is none, or points at nothing."""
    if not reference.startswith("#/") or len(reference) > LONGEST_REFERENCE:
        return None
    found: Any = document
    for token in unquote(reference[2:]).split("/"):
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
        else:
            return None
    return found


def _known(document: Mapping[str, Any]) -> bool:
    if is_swagger(document):
        return str(document["swagger"]) in ("2.0", "2")
    return _VERSION.fullmatch(str(document.get("openapi"))) is not None
