"""Bodies of operations: one argument, sent as JSON, as a form or as text; and what is answered."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from antiphon_server.integration.connections.rest.documents import (
    is_swagger,
    mapping,
    resolved,
    sequence,
    text_of,
)
from antiphon_server.integration.connections.rest.model import FORM, JSON, MULTIPART, TEXT
from antiphon_server.integration.connections.rest.parameters import Given, Unsupported, schema_of

WITHOUT = ("get", "head", "options")
"""What these send beside their parameters nobody reads."""
MOST_ANSWERS = 4
MOST_TYPES = 100
"""Of bodies, and statuses of answers: others are passed over."""
_MEDIA = re.compile(r"[!-~]{1,64}/[ -~]{1,128}")


def is_json(media_type: str) -> bool:
    """Whether a body of that type is JSON."""
    plain = media_type.partition(";")[0].strip().lower()
    return plain == JSON or (plain.startswith("application/") and plain.endswith("+json"))


def body(
    document: Mapping[str, Any], operation: Mapping[str, Any], told: Given
) -> tuple[str, Any, bool] | None:
    """What is sent as the body: its type, its schema, and whether it is required.

    None where there is none. Raises Unsupported.
    """
    if is_swagger(document):
        return _swagger_body(document, operation, told)
    request = resolved(document, operation.get("requestBody"))
    content, required = mapping(request.get("content")), request.get("required") is True
    if not content:
        return None
    chosen = _chosen(content)
    if chosen is None:
        if required:
            raise Unsupported("its body is neither JSON, nor a form, nor text")
        return None
    schema = mapping(mapping(content.get(chosen, content.get("*/*"))).get("schema"))
    return chosen, schema or {"type": "string" if chosen == TEXT else "object"}, required


def answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> tuple[str, Any]:
    """What it answers with (for Accept), and the schema of that if it is JSON, else None."""
    types, schemas = dict[str, None](), list[Any]()
    for status, given in islice(mapping(operation.get("responses")).items(), MOST_TYPES):
        if not str(status).startswith("2"):
            continue
        it = resolved(document, given)
        if is_swagger(document):
            types |= dict.fromkeys(_types(document, operation, "produces"))
            schemas += [it["schema"]] if isinstance(it.get("schema"), dict) else []
            continue
        for media_type, told in islice(mapping(it.get("content")).items(), MOST_TYPES):
            types |= {media_type: None} if _MEDIA.fullmatch(media_type) else {}
            if is_json(media_type) and isinstance(mapping(told).get("schema"), dict):
                schemas.append(told["schema"])
    accept = next(filter(is_json, types), next(iter(types), ""))
    if not is_json(accept) or not 0 < len(schemas) <= MOST_ANSWERS:
        return accept, None
    return accept, schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _swagger_body(
    document: Mapping[str, Any], operation: Mapping[str, Any], told: Given
) -> tuple[str, Any, bool] | None:
    types = _types(document, operation, "consumes")
    fields = {name: it for (where, name), it in told.items() if where == "formData"}
    if fields:
        required = [name for name, it in fields.items() if it.get("required") is True]
        files = any(it.get("type") == "file" for it in fields.values())
        schema = {
            "type": "object",
            "properties": {name: schema_of(it) for name, it in fields.items()},
            "required": required,
        }
        plain = FORM in types or not (files or MULTIPART in types)
        return FORM if plain and not files else MULTIPART, schema, bool(required)
    for (where, _), it in told.items():
        if where == "body":
            chosen = _chosen(types) if types else JSON
            if chosen is None:
                raise Unsupported("its body is neither JSON, nor a form, nor text")
            return chosen, schema_of(it), it.get("required") is True
    return None


def _types(document: Mapping[str, Any], operation: Mapping[str, Any], name: str) -> list[str]:
    """What an operation consumes or produces, as it says or as the document does."""
    said = operation.get(name, document.get(name))
    few = islice(map(text_of, sequence(said)), MOST_TYPES)
    return [it for it in few if _MEDIA.fullmatch(it)]


def _chosen(types: Iterable[str]) -> str | None:
    """The one of the types that we send best."""
    few = islice(types, MOST_TYPES)
    plain = {it.partition(";")[0].strip().lower(): it for it in few if _MEDIA.fullmatch(it)}
    for each in (JSON, *filter(is_json, plain), FORM, MULTIPART, TEXT):
        if each in plain:
            return plain[each]
    return JSON if "*/*" in plain else None
